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
    /// Of the first page.
    let timeline: UInt32
    /// Where the first page begins.
    let address: LSN

    init(version: PostgresVersion, systemID: UInt64, segmentSize: UInt32, timeline: UInt32 = 0, address: LSN = LSN(0)) {
        self.version = version
        self.systemID = systemID
        self.segmentSize = segmentSize
        self.timeline = timeline
        self.address = address
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
        timeline = bytes.number(at: 4)
        address = LSN(bytes.number(at: 8))
        systemID = bytes.number(at: 24)
        segmentSize = bytes.number(at: 32)
        try WALSegment.checkSize(segmentSize, in: "the WAL header")
    }

    /// Throws `.fileInvalid` (28) unless a file of `size` bytes with this header can be that segment. The first segment of a timeline may
    /// begin with pages of the timeline that was left, so an older one in the header is right too.
    func require(_ segment: WALSegment, size: UInt64) throws(BackupError) {
        let start = segment.start(segmentSize: segmentSize)
        let problem: String
        if size != UInt64(segmentSize) {
            problem = "it has \(size) bytes, and its header says that segments have \(segmentSize)"
        } else if address != start {
            problem = "its first page belongs to \(address), that of \(segment) to \(start)"
        } else if timeline == 0 || timeline > segment.timeline {
            problem = "its first page is of timeline \(timeline)"
        } else {
            return
        }
        throw BackupError(
            .fileInvalid, "is not the segment \(segment): \(problem)",
            hint: "only what PostgreSQL passes to archive_command may be pushed.\nhas somebody copied or cut a file in pg_wal?")
    }
}
