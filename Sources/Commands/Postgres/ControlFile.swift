// global/pg_control: which cluster this is, its version and its latest checkpoint.

import BackstopCore

/// A pg_control whose checksum is right.
struct ControlFile: Sendable {
    /// Bytes that count; they fit into a disk sector, the rest of the file is zeros.
    static let byteCount = 512
    /// Bytes of the file.
    static let fileSize = 8192
    /// A checkpoint that cannot be: PostgreSQL refuses to start from it, so it needs the backup_label.
    static let impossibleCheckpoint = LSN(0xDEAD)
    private static let checkpointOffset = 32

    let version: PostgresVersion
    let systemID: UInt64
    let controlVersion: UInt32
    let catalogVersion: UInt32
    let checkpoint: LSN
    let timeline: UInt32
    /// Bytes.
    let pageSize: UInt32
    /// Bytes of a WAL segment.
    let segmentSize: UInt32
    /// Whether the pages of the cluster carry checksums now, whatever initdb chose.
    let hasPageChecksums: Bool

    private let bytes: [UInt8]
    private let crcOffset: Int

    /// Reads the first 512 of `file`. `forced` is the version whose layout is used whatever the version numbers in the file are.
    /// Throws `.versionNotSupported`, `.checksum` (the file may have been read while it was written) and `.format`, also for a checksum state that
    /// no release has: betas of PostgreSQL 19 switched checksums in steps.
    init(_ file: [UInt8], forced: PostgresVersion? = nil) throws(BackupError) {
        guard file.count >= Self.byteCount else {
            throw BackupError(.format, "pg_control has \(file.count) bytes, expected at least \(Self.byteCount)")
        }
        bytes = Array(file.prefix(Self.byteCount))
        let controlVersion = bytes.number(at: 8, as: UInt32.self)
        let catalogVersion = bytes.number(at: 12, as: UInt32.self)
        let known = PostgresLayout.all.first {
            $0.controlVersion == controlVersion && $0.catalogVersions.contains(catalogVersion)
        }
        guard let layout = forced?.layout ?? known else {
            throw .unsupportedPostgres(controlVersion: controlVersion, catalogVersion: catalogVersion)
        }
        crcOffset = try Self.findCRC(bytes, from: layout.crc, search: forced != nil)

        version = layout.version
        systemID = bytes.number(at: 0)
        self.controlVersion = controlVersion
        self.catalogVersion = catalogVersion
        checkpoint = LSN(bytes.number(at: Self.checkpointOffset))
        timeline = bytes.number(at: layout.timeline)
        pageSize = bytes.number(at: layout.pageSize)
        segmentSize = bytes.number(at: layout.segmentSize)
        let state: UInt32 = bytes.number(at: layout.checksumState)

        guard pageSize.nonzeroBitCount == 1, 1 << 10 <= pageSize, pageSize <= 32 << 10 else {
            throw BackupError(.format, "page size is \(pageSize) in pg_control, expected a power of two from 1024 to 32768")
        }
        try WALSegment.checkSize(segmentSize, in: "pg_control")
        guard state <= 1 else {
            throw BackupError(
                .format, "page checksum version is \(state) but must be <= 1",
                hint: "are checksums being switched while the server runs? What pages must look like then is not known.")
        }
        hasPageChecksums = state == 1
    }

    /// The whole file as a backup stores it: the bytes that count, then zeros.
    var stored: [UInt8] { bytes + [UInt8](repeating: 0, count: Self.fileSize - bytes.count) }

    /// The whole file with a checkpoint from which PostgreSQL cannot start without a backup_label.
    var storedWithoutCheckpoint: [UInt8] {
        var file = stored
        file.setNumber(Self.impossibleCheckpoint.value, at: Self.checkpointOffset)
        var crc = CRC32C()
        crc.update(file[..<crcOffset])
        file.setNumber(crc.value, at: crcOffset)
        return file
    }

    /// Parses what `fresh` reads. PostgreSQL may write at the same moment, so a bad checksum is an error only when the same bad bytes
    /// come twice in a row.
    static func read(
        forced: PostgresVersion? = nil, _ fresh: () async throws(BackupError) -> [UInt8]
    ) async throws(BackupError) -> ControlFile {
        var before: [UInt8]?
        while true {
            let file = try await fresh()
            do throws(BackupError) {
                return try ControlFile(file, forced: forced)
            } catch {
                let bytes = Array(file.prefix(byteCount))
                if error.code != .checksum || bytes == before { throw error }
                before = bytes
                try await pause(.milliseconds(10))
            }
        }
    }

    /// The place of the checksum: `start`, or with `search` (a fork may have added fields) the first one after it that fits.
    private static func findCRC(_ bytes: [UInt8], from start: Int, search: Bool) throws(BackupError) -> Int {
        var crc = CRC32C()
        crc.update(bytes[..<start])
        let calculated = crc.value
        for offset in stride(from: start, through: search ? byteCount - 4 : start, by: 4) {
            if bytes.number(at: offset) == crc.value { return offset }
            crc.update(bytes[offset..<offset + 4])
        }
        throw BackupError(
            .checksum, "pg_control has checksum \(bytes.number(at: start, as: UInt32.self)), calculated \(calculated)",
            hint: search ? "is pg-version-force the version that the cluster derives from?" : "is pg_control damaged?")
    }
}

/// CRC-32C (Castagnoli), bit by bit: it is computed over 300 bytes per process, too few to pay for a table.
struct CRC32C {
    private var state: UInt32 = 0xFFFF_FFFF

    var value: UInt32 { ~state }

    mutating func update(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state >> 1 ^ (state & 1 == 0 ? 0 : 0x82F6_3B78) }
        }
    }
}
