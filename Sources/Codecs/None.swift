// none: the bytes as they are, for where a codec must be named and nothing be done.

import BackstopCore

struct None: Codec {
    func encoder() throws(BackupError) -> any Transform { Identity() }
    func decoder() throws(BackupError) -> any Transform { Identity() }
}

private final class Identity: Transform {
    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        let count = min(input.byteCount, out.freeCapacity)
        input.extracting(0..<count).withUnsafeBytes { out.append(contentsOf: $0) }
        return Progress(consumed: count, done: end && count == input.byteCount)
    }

    func reset() {}
}
