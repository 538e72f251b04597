// A source that does what a check wants: gives its bytes in odd pieces, fails midway, looks around while it is being read.

import BackstopCore

struct ScriptedSource: ByteSource, ~Copyable {
    private let bytes: [UInt8]
    private var position = 0
    private var random: Random

    /// Bytes that one read gives at most.
    var pieces = 1...70_000
    /// True: the false comes after the last byte, not with it.
    var endsLate = false
    /// Throws `Self.failure` when so many bytes were given.
    var failsAt: Int?
    /// Called before each read with the number of bytes given so far.
    var observe: (@Sendable (Int) async -> Void)?

    static let failure = BackupError(.io, "this source fails on purpose")

    init(_ bytes: [UInt8], _ random: inout Random) {
        self.bytes = bytes
        self.random = Random(seed: random.next())
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        if let observe { await observe(position) }
        if let failsAt, position >= failsAt { throw Self.failure }
        var count = min(bytes.count - position, out.freeCapacity, Int.random(in: pieces, using: &random))
        if let failsAt { count = min(count, failsAt - position) }
        out.append(contentsOf: bytes, position..<position + count)
        position += count
        // One that shall fail must be asked again.
        return position < bytes.count || failsAt != nil || (endsLate && count > 0)
    }
}
