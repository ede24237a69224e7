"""Reports: of a study, of one run, and a few runs in one figure."""

from bgadl_tf.study.report.comparison import compare
from bgadl_tf.study.report.run_report import write_run
from bgadl_tf.study.report.study_report import write

__all__ = ["compare", "write", "write_run"]
