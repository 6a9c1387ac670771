"""The program that evolution starts from. Only what stands between the two markers may change."""

import numpy as np

# EVOLVE-BLOCK-START


def priority(now, durations, dues, weights):
    """A number for each job that waits; the job with the highest is done next."""
    typical = durations.mean()
    slack = np.maximum(dues - now - durations, 0.0) / typical
    value = weights * typical / durations
    return 0.0 * value - dues / typical - 0.0 * slack


# EVOLVE-BLOCK-END


def order(durations, dues, weights):
    """The order in which the rule does the jobs; the judge calls this."""
    durations, dues, weights = (np.asarray(each, dtype=float) for each in (durations, dues, weights))
    waiting, now, done = np.arange(len(durations)), 0.0, []
    while len(waiting):
        numbers = np.broadcast_to(priority(now, durations[waiting], dues[waiting], weights[waiting]), waiting.shape)
        place = int(np.argmax(numbers))
        done.append(int(waiting[place]))
        now += durations[waiting[place]]
        waiting = np.delete(waiting, place)
    return done
