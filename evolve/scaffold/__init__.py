"""Problems of one's own: a working folder to start from (`create`), a check that tries to fool a judge (`check`)."""
