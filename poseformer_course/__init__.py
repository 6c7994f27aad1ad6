"""What only the course and the study of the paper need: checkers, tables and figures again, speed, and two toys."""
