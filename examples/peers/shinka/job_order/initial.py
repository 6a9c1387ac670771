"""The order in which jobs with lengths and deadlines are done on one machine."""


# EVOLVE-BLOCK-START
def order(jobs):
    return sorted(range(len(jobs)), key=lambda i: jobs[i][0])


# EVOLVE-BLOCK-END


def run_jobs(seed):
    from machine import jobs_of, lateness

    jobs = jobs_of(seed)
    return lateness(jobs, order(jobs))
