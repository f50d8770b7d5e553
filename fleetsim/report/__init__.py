"""Reports: text and plots. They read run directories only and change nothing in them."""
