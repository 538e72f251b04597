// Which files a worker may have several of under way (Storage.smallAtATime).

/// Bytes. Of such files the time goes into the round trip, not into the work, and a dozen of them at a time take little memory.
let smallFile: UInt64 = 1 << 20
