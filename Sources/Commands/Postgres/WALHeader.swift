// The first bytes of a WAL segment: which cluster wrote it.

import BackstopCore

struct WALHeader: Sendable, Equatable {
    /// Bytes that `init` needs.
    static let byteCount = 40
    /// Set in the first page of a segment, whose header has the fields that are read here.
    private static let longHeader: UInt16 = 2

    let version: PostgresVersion
    let systemID: UInt64
    /// Bytes.
    let segmentSize: UInt32

    init(version: PostgresVersion, systemID: UInt64, segmentSize: UInt32) {
        self.version = version
        self.systemID = systemID
        self.segmentSize = segmentSize
    }

    /// `forced` is taken for the version whatever the file says.
    init(_ bytes: [UInt8], forced: PostgresVersion? = nil) throws(BackupError) {
        guard bytes.count >= Self.byteCount else {
            throw BackupError(.format, "WAL segment has \(bytes.count) bytes, expected at least \(Self.byteCount)")
        }
        let magic = bytes.number(at: 0, as: UInt16.self)
        guard let version = forced ?? PostgresLayout.all.first(where: { $0.walMagic == magic })?.version else {
            throw .unsupportedPostgres("WAL with magic 0x\(String(magic, radix: 16, uppercase: true))")
        }
        guard bytes.number(at: 2, as: UInt16.self) & Self.longHeader != 0 else {
            throw BackupError(.format, "WAL segment does not begin with a long header", hint: "is it a WAL segment, and its begin?")
        }
        self.version = version
        systemID = bytes.number(at: 24)
        segmentSize = bytes.number(at: 32)
        try WALSegment.checkSize(segmentSize, in: "the WAL header")
    }
}
