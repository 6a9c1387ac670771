"""What candidates are compared with: torch's own fused attention."""

import torch


def attention(q, k, v, out):
    """Writes softmax(q k^T / sqrt(d)) v into out."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = [torch.from_numpy(each).to(device)[None, None] for each in (q, k, v)]
    with torch.inference_mode():
        torch.from_numpy(out).copy_(torch.nn.functional.scaled_dot_product_attention(*batch)[0, 0])
