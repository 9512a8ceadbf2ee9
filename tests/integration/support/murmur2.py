"""The partition of a key, as Java's clients and librdkafka's murmur2_random place it. Written from the algorithm's own
description, so that a mistake of ours does not agree with itself."""


def murmur2(key, seed=0x9747B28C):
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (seed ^ len(key)) & mask
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at:at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if len(key) > whole:
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def partition_of(key, partitions):
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
