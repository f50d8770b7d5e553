"""The control plane: one process per thing that happens. Each catches the data plane up, then acts."""
