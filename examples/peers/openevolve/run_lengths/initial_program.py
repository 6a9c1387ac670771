# EVOLVE-BLOCK-START
def pack(data):
    packed = bytearray()
    longest = 255
    index = 0
    while index < len(data):
        length = 1
        while index + length < len(data) and data[index + length] == data[index] and length < longest:
            length += 1
        packed += bytes((length, data[index]))
        index += length
    return bytes(packed)


# EVOLVE-BLOCK-END


def unpack(packed):
    return b"".join(bytes([packed[i + 1]]) * packed[i] for i in range(0, len(packed), 2))
