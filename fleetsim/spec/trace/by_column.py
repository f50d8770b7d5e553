"""Blocks of plain CSV by column: what `line_by_line` makes of them, some fifty times faster.

A block is plain when each of its cells that matter is written in the ordinary way: digits for counts, no
quotes, times that Arrow reads to the nanosecond. Every other block is left to `line_by_line`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetsim.spec.trace.blocks import Block
from fleetsim.spec.trace.csv_lines import CsvLines
from fleetsim.spec.trace.layout import UNITS, TimeUnit
from fleetsim.spec.trace.line_by_line import is_utf8
from fleetsim.spec.trace.report import BadRow, ImportReport, shortened
from fleetsim.spec.trace.rows import ClassNames, Rows

PLAIN_ISO = (r"^(19[7-9]|20[0-9])[0-9]-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
             r"(\.[0-9]{1,9})?")
ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})$"
MOST_DIGITS = 9
"""Of a count: always an int32."""


def read_columns(block: Block, lines: CsvLines, unit: TimeUnit, names: ClassNames, rows: Rows,
                 report: ImportReport) -> bool:
    """Add a plain block's rows and count those without tokens; False, and nothing done, for another block."""
    found = plain_cells(block, lines)
    if found is None:
        return False
    times = plain_times(found[0], unit)
    prompt, output = plain_counts(found[1]), plain_counts(found[2])
    if times is None or prompt is None or output is None:
        return False
    class_index = np.zeros(times.size, np.int16)
    good = (prompt > 0) & (output > 0)
    if lines.class_ is not None:
        # Numbers in order of appearance among good rows, as line by line.
        numbers = plain_classes(found[3], good, names)
        if numbers is None:
            return False
        class_index = numbers
    report.read += times.size
    rows.append(times[good], prompt[good], output[good], class_index[good])
    for reason, bad in (("zero_prompt", prompt == 0), ("zero_output", (output == 0) & (prompt > 0))):
        places = np.flatnonzero(bad)
        if places.size:
            shown = places[:report.shown(reason)]
            texts = block.data.split(b"\n") if shown.size else []
            report.drop_many(reason, int(places.size), [
                BadRow(block.line + int(place), shortened(texts[place].decode("utf-8", errors="replace")))
                for place in shown])
    return True


def plain_cells(block: Block, lines: CsvLines) -> list[Any] | None:
    """Time, prompt, output and class as Arrow texts; None when the block is not plain."""
    import pyarrow as pa
    from pyarrow import csv

    data = block.data
    if b'"' in data or data.count(b"\r") != data.count(b"\r\n") or not is_utf8(data):
        return None
    header = [str(place) for place in range(len(lines.header))]
    wanted = [str(place) for place in (lines.time, lines.prompt, lines.output, lines.class_)
              if place is not None]
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(column_names=header, use_threads=False, block_size=len(data) + 1),
            parse_options=csv.ParseOptions(quote_char=False),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()),
                                               include_columns=wanted),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != data.count(b"\n") + (not data.endswith(b"\n")):
        return None  # empty lines: the numbers of lines are not those of rows
    return [table.column(name).combine_chunks() for name in wanted]


def plain_counts(texts: Any) -> NDArray[np.int32] | None:
    """Counts of at most nine digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = bool(pc.all(pc.ascii_is_decimal(texts)).as_py())
    if not digits or pc.max(pc.binary_length(texts)).as_py() > MOST_DIGITS:
        return None
    found: NDArray[np.int32] = texts.cast(pa.int32()).to_numpy()
    return found


def plain_times(texts: Any, unit: TimeUnit) -> NDArray[np.int64] | None:
    """Nanoseconds of calendar times that are all with or all without a zone, or of plain decimals."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def all_match(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())

    found: NDArray[np.int64]
    try:
        if unit == "iso":
            zone = None if all_match(f"{PLAIN_ISO}$") else "UTC" if all_match(PLAIN_ISO + ZONE) else ""
            if zone == "":
                return None
            found = texts.cast(pa.timestamp("ns", zone)).cast(pa.int64()).to_numpy()
            return found
        places = UNITS[unit]
        fraction = rf"(\.[0-9]{{1,{places}}})?" if places else ""
        if not all_match(rf"^([0-9]{{1,{18 - places}}}|1[0-9]{{{18 - places}}}){fraction}$"):
            return None
        if places == 0:
            found = texts.cast(pa.int64()).to_numpy()
            return found
        exact = texts.cast(pa.decimal128(19, places))
    except pa.ArrowInvalid:
        return None
    # A decimal is a 128-bit integer of its last place; these fit into the lower half.
    halves = np.frombuffer(exact.buffers()[1], np.int64)
    found = halves[2 * exact.offset:2 * (exact.offset + len(exact)):2]
    return found


def plain_classes(texts: Any, good: NDArray[np.bool_], names: ClassNames) -> NDArray[np.int16] | None:
    """Class numbers; None when a name is empty or has blanks around it."""
    encoded = texts.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    if any(not word or word != word.strip() for word in words):
        return None
    codes = encoded.indices.to_numpy()
    kept = codes[good]
    _, first = np.unique(kept, return_index=True)
    numbers = np.zeros(len(words), np.int16)
    for place in np.sort(first):
        numbers[kept[place]] = names.number(words[kept[place]])
    found: NDArray[np.int16] = numbers[codes]
    return found
