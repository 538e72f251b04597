// The versions of PostgreSQL that are supported, and what differs between them.

import BackstopCore

/// A major version.
struct PostgresVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The server's version number without its minor part: 906, 1000, 1800.
    let number: Int

    private init(number: Int) { self.number = number }

    static let v9_6 = PostgresVersion(number: 906)
    static let v10 = PostgresVersion(number: 1000)
    static let v11 = PostgresVersion(number: 1100)
    static let v12 = PostgresVersion(number: 1200)
    static let v13 = PostgresVersion(number: 1300)
    static let v14 = PostgresVersion(number: 1400)
    static let v15 = PostgresVersion(number: 1500)
    static let v16 = PostgresVersion(number: 1600)
    static let v17 = PostgresVersion(number: 1700)
    static let v18 = PostgresVersion(number: 1800)
    static let v19 = PostgresVersion(number: 1900)

    /// `9.6`, `10`, `18`.
    init(_ text: some StringProtocol) throws(BackupError) {
        guard let layout = PostgresLayout.all.first(where: { $0.version.description == text }) else {
            throw .unsupportedPostgres("version '\(text)'")
        }
        self = layout.version
    }

    /// As files of a repository have it, of any version there is or will be: `9.6`, `10`, `21`. nil when it is none.
    init?(written text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) }
        guard parts.count <= 2, let major = parts[0], (parts.count == 2) == (major < 10), let minor = parts.count == 2 ? parts[1] : 0,
            minor < 100
        else { return nil }
        self.init(number: Int(major) * 100 + Int(minor))
        // No second spelling: what is written again is what was read.
        guard description == text else { return nil }
    }

    /// Throws `.versionNotSupported` when this program does not know how its files look.
    func requireSupport() throws(BackupError) {
        if !PostgresLayout.all.contains(where: { $0.version == self }) { throw .unsupportedPostgres("version '\(self)'") }
    }

    /// `serverNumber` as in the setting `server_version_num`: 90624, 150020.
    init(serverNumber: Int) throws(BackupError) {
        let version = PostgresVersion(number: serverNumber / 100)
        guard PostgresLayout.all.contains(where: { $0.version == version }) else {
            throw .unsupportedPostgres("server version number \(serverNumber)")
        }
        self = version
    }

    /// What PG_VERSION in a data folder of this host says; nil when it says nothing.
    init?(ofDataFolder path: String) {
        guard let bytes = try? readFile("\(path)/PG_VERSION"), bytes.count < 20 else { return nil }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let version = try? PostgresVersion(text) else { return nil }
        self = version
    }

    /// As in archive ids and info files: `9.6`, `10`, `18`.
    var description: String { number < 1000 ? "\(number / 100).\(number % 100)" : "\(number / 100)" }

    static func < (a: PostgresVersion, b: PostgresVersion) -> Bool { a.number < b.number }

    /// The folder of the WAL in PGDATA.
    var walFolder: String { self >= .v10 ? "pg_wal" : "pg_xlog" }
    /// The folder of the transaction states in PGDATA.
    var transactionFolder: String { self >= .v10 ? "pg_xact" : "pg_clog" }
    /// What functions about the WAL call it: `pg_<wal>file_name`.
    var walWord: String { self >= .v10 ? "wal" : "xlog" }
    /// What functions about the WAL call a place in it: `pg_current_wal_insert_<lsn>`.
    var lsnWord: String { self >= .v10 ? "lsn" : "location" }

    /// The folder of a cluster of this version in a tablespace.
    func tablespaceFolder(catalogVersion: UInt32) -> String { "PG_\(self)_\(catalogVersion)" }

    var layout: PostgresLayout { PostgresLayout.all.first { $0.version == self }! }
}

/// The numbers by which a version's files are recognised, and the places of the fields of pg_control that moved over time.
struct PostgresLayout: Sendable {
    let version: PostgresVersion
    let controlVersion: UInt32
    /// One number for a released version, a range for one whose number still grows.
    let catalogVersions: ClosedRange<UInt32>
    let walMagic: UInt16
    // Offsets in pg_control. The checksum state is the current one: from 19 on the one that initdb chose stands before it.
    let timeline, pageSize, segmentSize, checksumState, crc: Int

    static let all = [
        layout(.v9_6, 960, 201_608_131, 0xD093, 56, 216, 228, 252, 256),
        layout(.v10, 1002, 201_707_211, 0xD097, 56, 216, 228, 252, 288),
        layout(.v11, 1100, 201_809_051, 0xD098, 48, 208, 220, 244, 280),
        layout(.v12, 1201, 201_909_212, 0xD101, 48, 216, 228, 252, 288),
        layout(.v13, 1300, 202_007_201, 0xD106, 48, 216, 228, 252, 288),
        layout(.v14, 1300, 202_107_181, 0xD10D, 48, 216, 228, 252, 288),
        layout(.v15, 1300, 202_209_061, 0xD110, 48, 216, 228, 252, 288),
        layout(.v16, 1300, 202_307_071, 0xD113, 48, 216, 228, 252, 288),
        layout(.v17, 1700, 202_406_281, 0xD116, 48, 216, 228, 252, 288),
        layout(.v18, 1800, 202_506_291, 0xD118, 48, 216, 228, 252, 292),
        layout(.v19, 1905, 202_605_131, through: 202_699_999, 0xD122, 48, 224, 240, 268, 308),
    ]

    private static func layout(
        _ version: PostgresVersion, _ control: UInt32, _ catalog: UInt32, through last: UInt32? = nil, _ magic: UInt16,
        _ timeline: Int, _ pageSize: Int, _ segmentSize: Int, _ checksumState: Int, _ crc: Int
    ) -> PostgresLayout {
        PostgresLayout(
            version: version, controlVersion: control, catalogVersions: catalog...(last ?? catalog), walMagic: magic,
            timeline: timeline, pageSize: pageSize, segmentSize: segmentSize, checksumState: checksumState, crc: crc)
    }
}

extension BackupError {
    static func unsupportedPostgres(_ what: String) -> BackupError {
        BackupError(.versionNotSupported, "\(what) of PostgreSQL is not supported", hint: supportedPostgres)
    }

    /// A pg_control of a version that is not known; betas of a known one count as such.
    static func unsupportedPostgres(controlVersion: UInt32, catalogVersion: UInt32) -> BackupError {
        BackupError(
            .versionNotSupported, "unexpected control version = \(controlVersion) and catalog version = \(catalogVersion)",
            hint: supportedPostgres)
    }

    private static var supportedPostgres: String {
        let versions = PostgresLayout.all.map { "\($0.version)" }.joined(separator: ", ")
        return "supported versions of PostgreSQL are \(versions), and no betas.\nfor a fork of one of them set pg-version-force."
    }
}
