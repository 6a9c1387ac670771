import random


def jobs_of(seed):
    generator = random.Random(seed)
    return [(generator.randint(1, 9), generator.randint(5, 40)) for _ in range(10)]


def lateness(jobs, order):
    if sorted(order) != list(range(len(jobs))):
        raise ValueError("every job has to be done once")
    now = late = 0
    for index in order:
        length, deadline = jobs[index]
        now += length
        late += max(0, now - deadline)
    return late
