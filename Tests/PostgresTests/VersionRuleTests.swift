import BackstopCore
import Testing

@testable import BackstopCommands

/// What differs between versions of PostgreSQL, a row each: numbers and offsets by repository-format.md section 9.2 and postgres-19.md, written
/// here a second time. Of most versions there is no server here.
struct VersionRuleTests {
    struct Version: Sendable, CustomStringConvertible {
        let description: String
        /// As in `server_version_num`.
        let server: Int
        let control, catalog: UInt32
        let magic: UInt16
        /// In pg_control: timeline, page size, segment size, checksum state, CRC.
        let offsets: [Int]
        var number: Int { server / 100 }
        var version: PostgresVersion { get throws { try PostgresVersion(description) } }
    }

    static let all = [
        Version(
            description: "9.6", server: 90624, control: 960, catalog: 201_608_131, magic: 0xD093, offsets: [56, 216, 228, 252, 256]),
        Version(
            description: "10", server: 100023, control: 1002, catalog: 201_707_211, magic: 0xD097, offsets: [56, 216, 228, 252, 288]),
        Version(
            description: "11", server: 110022, control: 1100, catalog: 201_809_051, magic: 0xD098, offsets: [48, 208, 220, 244, 280]),
        Version(
            description: "12", server: 120022, control: 1201, catalog: 201_909_212, magic: 0xD101, offsets: [48, 216, 228, 252, 288]),
        Version(
            description: "13", server: 130023, control: 1300, catalog: 202_007_201, magic: 0xD106, offsets: [48, 216, 228, 252, 288]),
        Version(
            description: "14", server: 140020, control: 1300, catalog: 202_107_181, magic: 0xD10D, offsets: [48, 216, 228, 252, 288]),
        Version(
            description: "15", server: 150015, control: 1300, catalog: 202_209_061, magic: 0xD110, offsets: [48, 216, 228, 252, 288]),
        Version(
            description: "16", server: 160011, control: 1300, catalog: 202_307_071, magic: 0xD113, offsets: [48, 216, 228, 252, 288]),
        Version(
            description: "17", server: 170007, control: 1700, catalog: 202_406_281, magic: 0xD116, offsets: [48, 216, 228, 252, 288]),
        Version(
            description: "18", server: 180001, control: 1800, catalog: 202_506_291, magic: 0xD118, offsets: [48, 216, 228, 252, 292]),
        // rc1 has no minor version.
        Version(
            description: "19", server: 190000, control: 1905, catalog: 202_610_061, magic: 0xD122, offsets: [48, 224, 240, 268, 308]),
    ]

    @Test func noneIsForgotten() { #expect(PostgresLayout.all.map(\.version.description) == Self.all.map(\.description)) }

    @Test(arguments: all)
    func controlFile(_ row: Version) throws {
        var bytes = [UInt8](repeating: 0, count: 8192)
        bytes.setNumber(UInt64(99), at: 0)
        bytes.setNumber(UInt64(0x1_0000_0028), at: 32)
        bytes = patched(
            bytes, [8: row.control, 12: row.catalog, row.offsets[0]: 7, row.offsets[1]: 4096, row.offsets[2]: 64 << 20, row.offsets[3]: 1],
            crcAt: row.offsets[4])
        let control = try ControlFile(bytes)
        #expect(control.version.description == row.description && control.systemID == 99 && control.checkpoint.description == "1/28")
        #expect(control.timeline == 7 && control.pageSize == 4096 && control.segmentSize == 64 << 20 && control.hasPageChecksums)
        #expect(try !ControlFile(patched(bytes, [row.offsets[3]: 0], crcAt: row.offsets[4])).hasPageChecksums)
        // Neither the control version nor the catalog version alone tells what it is.
        for other in [[8: row.control + 1], [12: row.catalog - 10_000]] {
            let changed = patched(bytes, [other.first!.key: other.first!.value], crcAt: row.offsets[4])
            #expect(code { () throws(BackupError) in _ = try ControlFile(changed) } == .versionNotSupported)
        }
    }

    @Test(arguments: all)
    func names(_ row: Version) throws {
        let version = try row.version
        #expect(try PostgresVersion(serverNumber: row.server) == version)
        #expect(PostgresVersion(written: row.description) == version && version.description == row.description)
        #expect(Layout.archiveID(version, id: 1) == "\(row.description)-1")
        #expect(version.tablespaceFolder(catalogVersion: row.catalog) == "PG_\(row.description)_\(row.catalog)")
        #expect(DatabasePath.isFolder("pg_tblspc/16400/PG_\(row.description)_\(row.catalog)/5"))
        #expect(version.walFolder == (row.number < 1000 ? "pg_xlog" : "pg_wal"))
        #expect(version.transactionFolder == (row.number < 1000 ? "pg_clog" : "pg_xact"))
    }

    @Test(arguments: all)
    func walHeader(_ row: Version) throws {
        var bytes = [UInt8](repeating: 0, count: 40)
        bytes.setNumber(row.magic, at: 0)
        bytes.setNumber(UInt16(2), at: 2)
        bytes.setNumber(UInt64(42), at: 24)
        bytes.setNumber(UInt32(1 << 20), at: 32)
        #expect(try WALHeader(bytes) == WALHeader(version: row.version, systemID: 42, segmentSize: 1 << 20))
    }

    // MARK: What a server is asked

    /// The functions of section 3.3, and those about the WAL, which 10 renamed.
    @Test(arguments: all)
    func functions(_ row: Version) throws {
        let version = try row.version
        func sql(_ query: DatabaseQuery) -> String { query.sql(version) }
        let isOld = row.number < 1000
        let start = row.number < 1500 ? "pg_start_backup($1, $2, false)" : "pg_backup_start($1, $2)"
        let stop = isOld ? "pg_stop_backup(false)" : row.number < 1500 ? "pg_stop_backup(false, false)" : "pg_backup_stop(false)"
        let fileName = isOld ? "pg_catalog.pg_xlogfile_name(" : "pg_catalog.pg_walfile_name("
        #expect(sql(.startBackup).hasSuffix(" from pg_catalog.\(start) as lsn") && sql(.startBackup).contains(fileName))
        #expect(sql(.stopBackup).hasSuffix(" from pg_catalog.\(stop)") && sql(.stopBackup).contains(fileName))
        #expect(
            sql(.currentSegment)
                == "select \(fileName)pg_catalog.\(isOld ? "pg_current_xlog_insert_location" : "pg_current_wal_insert_lsn")())")
        #expect(sql(.switchWAL) == "select pg_catalog.\(isOld ? "pg_switch_xlog" : "pg_switch_wal")()")
        #expect(sql(.replayed) == "select pg_catalog.\(isOld ? "pg_last_xlog_replay_location" : "pg_last_wal_replay_lsn")()")
        #expect(sql(.databases).contains("datlastsysoid") == (row.number < 1500))
        for query in DatabaseQuery.allCases {
            // No name of the other time.
            for word in isOld ? ["walfile", "_wal_", "_lsn("] : ["xlog", "_location"] { #expect(!sql(query).contains(word), "\(query)") }
        }
    }

    /// A server that answers what it is told to.
    private final class Scripted: DatabaseSession {
        let version: PostgresVersion
        let rows: [[String?]]
        var watch: SessionWatch { SessionWatch(descriptor: -1) }

        init(_ version: PostgresVersion, _ row: [String?]) { (self.version, rows) = (version, [row]) }

        func query(_ query: DatabaseQuery, _ parameters: [String]) -> [[String?]] { rows }
    }

    /// The place is compared as a number and written as the server said it.
    @Test(arguments: [("18", "0/1600028", "0/1700158"), ("19", "0/01600028", "0/01700158")])
    func places(_ version: String, _ start: String, _ stop: String) throws {
        let version = try PostgresVersion(version)
        let begun = try Scripted(version, [start, "000000010000000000000016"]).startBackup(label: "x", fast: true)
        #expect(begun.place.description == start && begun.place.lsn == LSN(0x160_0028))
        #expect(BackupStart(place: begun.place, segment: try #require(begun.segment)).lsn == LSN(0x160_0028))
        let ended = try Scripted(version, [stop, "000000010000000000000017", "START WAL LOCATION: \(start) (file x)\n", " "]).stopBackup()
        #expect(ended.place.description == stop && ended.lsn == LSN(0x170_0158) && ended.tablespaceMap == nil)
        #expect(ended.label == "START WAL LOCATION: \(start) (file x)\n")
        #expect(try Scripted(version, [stop]).replayed() == LSN(0x170_0158))
    }

    // MARK: What a backup leaves out (section 3.6)

    @Test(arguments: all)
    func leftOut(_ row: Version) throws {
        let version = try row.version
        func isLeftOut(_ name: String, in folder: String = "pg_data", online: Bool = true) -> Bool {
            ExcludedFiles(version: version, online: online, excludes: []).file(
                clusterKey("\(folder)/\(name)").path, name: name, manifestFolder: folder, siblings: ["16384_init"]) == .skip
        }
        let left: [(names: [String], isLeftOut: Bool)] = [
            (["recovery.signal", "standby.signal"], row.number >= 1200), (["recovery.conf", "recovery.done"], row.number < 1200),
            (["backup_manifest", "backup_manifest.tmp"], row.number >= 1300),
            (["postgresql.auto.conf.tmp", "backup_label", "backup_label.old", "postmaster.opts", "postmaster.pid"], true),
            (["postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_hosts.conf", "PG_VERSION", "tablespace_map"], false),
        ]
        for (names, expected) in left {
            for name in names {
                for online in [false, true] { #expect(isLeftOut(name, online: online) == expected, "\(name)") }
                #expect(!isLeftOut(name, in: "pg_data/log"), "\(name)")
            }
        }
        let (own, other) = row.number < 1000 ? ("pg_xlog", "pg_wal") : ("pg_wal", "pg_xlog")
        let segment = "000000010000000000000001"
        #expect(isLeftOut(segment, in: "pg_data/\(own)") && !isLeftOut(segment, in: "pg_data/\(own)", online: false))
        #expect(!isLeftOut(segment, in: "pg_data/\(other)") && !isLeftOut("x", in: "pg_data/\(own)/summaries"))
        #expect(isLeftOut("16384", in: "pg_tblspc/16400/PG_\(row.description)_\(row.catalog)/5"))

        func folder(_ path: String, online: Bool = true) -> ExcludedFiles.Verdict {
            ExcludedFiles(version: version, online: online, excludes: []).folder(path)
        }
        #expect(folder("\(own)/archive_status") == .folderOnly && folder("\(own)/archive_status", online: false) == .include)
        #expect(folder("\(other)/archive_status") == .include && folder(own) == .include)
        for name in ["pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"] {
            #expect(folder(name) == .folderOnly && folder(name, online: false) == .folderOnly && folder("base/\(name)") == .include)
        }
    }

    /// What WAL replay brings (section 3.7).
    @Test(arguments: all)
    func relations(_ row: Version) throws {
        let isOfReplay = BackupPlan.foldersOfRelations(try row.version)
        #expect(isOfReplay("pg_data/pg_clog") == (row.number < 1000) && isOfReplay("pg_data/pg_xact") == (row.number >= 1000))
        #expect(isOfReplay("pg_data/base/5") && isOfReplay("pg_data/global") && isOfReplay("pg_data/pg_multixact/offsets"))
        #expect(!isOfReplay("pg_data/pg_wal") && !isOfReplay("pg_data/pg_xlog") && !isOfReplay("pg_data"))
    }

    // MARK: What a restored cluster is told (sections 10.3 and 10.5)

    @Test(arguments: all)
    func recovery(_ row: Version) throws {
        let version = try row.version
        func settings(_ type: String, _ target: String? = nil, timeline: String? = nil) throws -> RecoverySettings {
            var options = Options()
            options.values[Options.Name("type")] = .init(.text(type), .commandLine)
            return RecoverySettings(
                version: version, options: options, restoreCommand: "get", stamp: "now",
                target: try ResolvedTarget(type: type, target: target, timeline: timeline, label: "L", isChosen: true, now: 0))
        }
        let isOld = row.number < 1200
        let lines: [(RecoverySettings, [String])] = [
            (try settings("default"), []), (try settings("standby"), isOld ? ["standby_mode = 'on'"] : []),
            (try settings("xid", "7"), ["recovery_target_xid = '7'"]), (try settings("name", "n"), ["recovery_target_name = 'n'"]),
            (
                try settings("immediate"),
                ["recovery_target = 'immediate'"] + (isOld ? [] : ["recovery_target_timeline = 'current'"])
            ),
            (try settings("default", timeline: "current"), isOld ? [] : ["recovery_target_timeline = 'current'"]),
            (try settings("default", timeline: "latest"), ["recovery_target_timeline = 'latest'"]),
            (try settings("default", timeline: "3"), ["recovery_target_timeline = '3'"]),
        ]
        for (settings, expected) in lines {
            #expect(try settings.lines() == ["restore_command = 'get'"] + expected, "\(settings.type)")
            #expect(settings.file == (isOld ? "recovery.conf" : "postgresql.auto.conf"))
            #expect(settings.signalFile == (isOld ? nil : settings.type == "standby" ? "standby.signal" : "recovery.signal"))
        }
        #expect(try settings("none").file == (isOld ? nil : "postgresql.auto.conf") && settings("none").signalFile == nil)
        #expect(try settings("preserve").file == nil && settings("preserve").signalFile == nil)
        #expect(TargetTimeline.usual(version) == (isOld ? .current : .latest))
        // 9.6 has no such target, and would not start.
        let place = try settings("lsn", "0/01600028")
        if row.number < 1000 {
            #expect(code { () throws(BackupError) in _ = try place.lines() } == .optionInvalid)
        } else {
            #expect(try place.lines().last == "recovery_target_lsn = '0/1600028'")
        }
    }
}
