"""What only the course and the study of the paper need: checkers, tables and figures again, speed, and two toys."""

import sys

if (ipython := sys.modules.get("IPython")) and (shell := ipython.get_ipython()):  # in a notebook, not in a script
    from poseformer_course.order import load_ipython_extension

    load_ipython_extension(shell)
