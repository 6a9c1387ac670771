"""Problems written for other engines, judged unchanged: their evaluator runs beside the candidate, in its sandbox."""
