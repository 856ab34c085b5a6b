"""The parts of bench/proxy/run: install, processes, contenders, load, measure, report."""
