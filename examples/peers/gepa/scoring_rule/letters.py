LETTERS = [
    {"id": 1, "text": "Win a free holiday today", "spam": True},
    {"id": 2, "text": "The meeting is at ten", "spam": False},
    {"id": 3, "text": "Cheap watches cheap watches", "spam": True},
    {"id": 4, "text": "Are you free on Friday", "spam": False},
]
