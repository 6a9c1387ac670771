"""What candidates are compared with: torch's own softmax, one kernel on a card."""

import torch


def softmax(x, out):
    """Writes the softmax of each row of x into out."""
    torch.softmax(torch.as_tensor(x), dim=1, out=torch.as_tensor(out))
    if torch.cuda.is_available():
        torch.cuda.synchronize()
