// The bytes of a WAL segment that is pushed, and the checksum that goes into its name.

import BackstopCore

/// What is stored is what was summed: the bytes are read once and kept until all repositories have them. Those of a segment that is too
/// large for that are read again for each repository, and other bytes than the first time end the put before it commits.
struct SegmentContent: Sendable {
    /// Bytes. Segments of the usual sizes are kept.
    static let keptAtMost: UInt64 = 64 << 20
    /// The first bytes, which have the header.
    let head: [UInt8]
    /// Bytes.
    let size: UInt64
    /// Lower case hexadecimal.
    let sha1: String

    private let kept: [UInt8]?
    private let file: Key
    private let tree: any Storage
    private let provider: any ChecksumProvider

    /// `shown`: the path for messages. Throws `.fileRead` when the file is another one after it was read: a server that was restarted
    /// may have archived the segment a second time and used its file again.
    init(
        _ file: Key, of tree: any Storage, shown: String, _ provider: any ChecksumProvider, keptAtMost: UInt64 = Self.keptAtMost
    ) async throws(BackupError) {
        let before = try await tree.stat(file)
        guard let before, before.kind == .file else {
            throw BackupError(
                .fileMissing, "WAL file '\(shown)' does not exist", hint: "archive_command must pass the path of the file: %p")
        }
        let checksum = try provider.make()
        let count = ByteCount()
        var source = try Flow(try await tree.open(file), Chain([.tap(count), .tap(checksum)]))
        if before.size <= keptAtMost {
            let bytes = try await source.readAll(reserving: Int(before.size))
            head = Array(bytes.prefix(WALHeader.byteCount))
            kept = bytes
        } else {
            var block = Block(capacity: 1 << 18)
            try await source.drain(&block)
            var begin = try await tree.open(file, range: 0..<UInt64(WALHeader.byteCount))
            head = try await begin.readAll()
            kept = nil
        }
        guard count.count == before.size, try await tree.stat(file) == before else {
            throw BackupError(
                .fileRead, "WAL file '\(shown)' changed while it was read",
                hint: "archive_command is for PostgreSQL, which runs it for complete segments only.")
        }
        size = before.size
        sha1 = checksum.digest.description
        (self.file, self.tree, self.provider) = (file, tree, provider)
    }

    /// The bytes from the first to the last. Throws `.checksum` at the end when they are not those of the checksum.
    func open() async throws(BackupError) -> any ByteSource & ~Copyable {
        if let kept { return BytesSource(kept) }
        let expect = Expect(try provider.make())
        expect.next(digest: sha1, size: size)
        return try Flow(try await tree.open(file), Chain([.tap(expect)]))
    }
}
