// The bytes of a WAL segment that is pushed, and the checksum that goes into its name.

import BackstopCore

/// What is stored is what was summed: it is read again for each repository, and other bytes than the first time end the put before it
/// commits.
struct SegmentContent: Sendable {
    /// The first bytes, which have the header.
    let head: [UInt8]
    /// Bytes.
    let size: UInt64
    /// Lower case hexadecimal.
    let sha1: String

    private let sum: UInt64
    private let key: Key
    private let tree: any Storage

    /// Throws `.fileRead` when the file is another one after it was read: a server that was restarted
    /// may have archived the segment a second time and used its file again.
    init(_ file: WALFile, _ provider: any ChecksumProvider) async throws(BackupError) {
        let before = try await file.tree.stat(file.key)
        guard let before, before.kind == .file else {
            throw BackupError(
                .fileMissing, "WAL file '\(file.path)' does not exist", hint: "archive_command must pass the path of the file: %p")
        }
        let checksum = try provider.make()
        let count = ByteCount()
        let same = SameBytes()
        var source = try Flow(try await file.tree.open(file.key), Chain([.tap(count), .tap(checksum), .tap(same)]))
        var block = Block(capacity: BlockSize.standard)
        try await source.drain(&block)
        var begin = try await file.tree.open(file.key, range: 0..<UInt64(WALHeader.byteCount))
        head = try await begin.readAll()
        guard count.count == before.size, try await file.tree.stat(file.key) == before else {
            throw BackupError(
                .fileRead, "WAL file '\(file.path)' changed while it was read",
                hint: "archive_command is for PostgreSQL, which runs it for complete segments only.")
        }
        size = before.size
        sha1 = checksum.digest.description
        sum = same.sum
        (key, tree) = (file.key, file.tree)
    }

    /// The bytes from the first to the last. Throws `.checksum` at the end when they are not those of the checksum.
    func open() async throws(BackupError) -> any ByteSource & ~Copyable {
        try Flow(try await tree.open(key), Chain([.tap(SameBytes(sum))]))
    }
}
