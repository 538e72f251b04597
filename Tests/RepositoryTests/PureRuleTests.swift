import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What a backup leaves out, by repository-format.md section 3.6.
struct ExcludedFilesTests {
    private func rules(_ version: PostgresVersion = .v15, online: Bool = true, _ excludes: [String] = []) -> ExcludedFiles {
        ExcludedFiles(version: version, online: online, excludes: excludes)
    }

    @Test(
        arguments: [
            ("base", .v15, true, .include), ("pg_notify", .v15, true, .folderOnly), ("pg_replslot", .v15, false, .folderOnly),
            ("base/pg_notify", .v15, true, .include), ("pg_wal/archive_status", .v15, true, .folderOnly),
            ("pg_wal/archive_status", .v15, false, .include), ("pg_xlog/archive_status", .v9_6, true, .folderOnly),
        ] as [(String, PostgresVersion, Bool, ExcludedFiles.Verdict)])
    func folders(_ path: String, _ version: PostgresVersion, _ online: Bool, _ verdict: ExcludedFiles.Verdict) {
        #expect(rules(version, online: online).folder(path) == verdict)
    }

    @Test(
        arguments: [
            // name, its folder, version, online, siblings: left out
            ("PG_VERSION", "pg_data", .v15, true, [], false), ("postmaster.pid", "pg_data", .v15, true, [], true),
            ("postmaster.pid", "pg_data/base/5", .v15, true, [], false), ("backup_label", "pg_data", .v15, true, [], true),
            ("recovery.signal", "pg_data", .v15, true, [], true), ("recovery.signal", "pg_data", .v11, true, [], false),
            ("recovery.conf", "pg_data", .v11, true, [], true), ("recovery.conf", "pg_data", .v12, true, [], false),
            ("backup_manifest", "pg_data", .v13, true, [], true), ("backup_manifest", "pg_data", .v12, true, [], false),
            ("000000010000000000000001", "pg_data/pg_wal", .v15, true, [], true),
            ("000000010000000000000001", "pg_data/pg_wal", .v15, false, [], false),
            ("pg_internal.init", "pg_data/base/5", .v15, true, [], true), ("pg_internal.init.7", "pg_data/global", .v15, true, [], true),
            ("pg_internal.init.x", "pg_data/global", .v15, true, [], false), ("pg_internal.init", "pg_data", .v15, true, [], false),
            ("t3_16384", "pg_data/base/5", .v15, true, [], true), ("t3_16384_vm.1", "pg_data/base/5", .v15, true, [], true),
            ("t3_x", "pg_data/base/5", .v15, true, [], false), ("t_16384", "pg_data/base/5", .v15, true, [], false),
            // Unlogged: the init fork stays.
            ("16384", "pg_data/base/5", .v15, true, ["16384_init"], true),
            ("16384_fsm.2", "pg_data/base/5", .v15, true, ["16384_init"], true),
            ("16384_init", "pg_data/base/5", .v15, true, ["16384_init"], false),
            ("16385", "pg_data/base/5", .v15, true, ["16384_init"], false),
            ("16384", "pg_data/log", .v15, true, ["16384_init"], false),
            ("16384", "pg_tblspc/16400/PG_15_202209061/5", .v15, true, ["16384_init"], true),
        ] as [(String, String, PostgresVersion, Bool, Set<String>, Bool)])
    func files(_ name: String, _ folder: String, _ version: PostgresVersion, _ online: Bool, _ siblings: Set<String>, _ isLeftOut: Bool) {
        let path = clusterKey("\(folder)/\(name)").path
        let verdict = rules(version, online: online).file(path, name: name, manifestFolder: folder, siblings: siblings)
        #expect(verdict == (isLeftOut ? .skip : .include))
    }

    /// What the user leaves out: bytes, and with a slash the content only.
    @Test func byName() {
        let rules = rules(.v15, online: true, ["log/", "base/5/notes", "e\u{301}"])
        #expect(rules.folder("log") == .folderOnly && rules.folder("log/old") == .include && rules.folder("logs") == .include)
        #expect(rules.file("base/5/notes", name: "notes", manifestFolder: "pg_data/base/5", siblings: []) == .skip)
        #expect(rules.folder("e\u{301}") == .skip && rules.folder("\u{e9}") == .include)
        #expect(rules.isTemporary("pgsql_tmp12.3") && !rules.isTemporary("x_pgsql_tmp"))
    }
}

/// Which backup of a repository a restore takes, by repository-format.md section 10.2.
struct RestoreSetTests {
    private static let labels = ["20260101-000000F", "20260101-000000F_20260102-000000I", "20260103-000000F"]

    private func info(databaseID: Int = 1, isPadded: Bool = false) -> BackupInfo {
        let cluster = ClusterIdentity(systemID: 1, version: isPadded ? .v19 : .v15)
        var info = BackupInfo(history: DatabaseHistory(.init(id: databaseID, identity: cluster)), nil)
        for (index, text) in Self.labels.enumerated() {
            info.add(
                BackupSummary(
                    label: label(text),
                    object: [
                        "backup-timestamp-stop": .integer(Int64(100 * (index + 1))), "db-id": .integer(1),
                        "backup-lsn-stop": .string("0/\(isPadded ? "0" : "")\(index + 1)000000"),
                    ]))
        }
        return info
    }

    @Test(
        arguments: [
            (nil, nil, 2), (nil, .time(300), 1), (nil, .time(301), 2), (nil, .time(100), nil), (0, nil, 0), (0, .time(301), 0),
        ] as [(Int?, RestoreSet.Target?, Int?)])
    func choice(_ wanted: Int?, _ target: RestoreSet.Target?, _ expected: Int?) throws {
        let found = try RestoreSet.select(info(), wanted: wanted.map { label(Self.labels[$0]) }, target)
        #expect(found?.text == expected.map { Self.labels[$0] })
    }

    /// Places are compared as numbers, with as many digits as a server writes: eight from PostgreSQL 19 on.
    @Test(
        arguments: [
            ("0/1000000", 0), ("0/01000000", 0), ("0/2FFFFFF", 1), ("0/02FFFFFF", 1), ("1/0", 2), ("0/FFFFFF", nil), ("0/00FFFFFF", nil),
        ] as [(String, Int?)])
    func lsn(_ text: String, _ expected: Int?) throws {
        for isPadded in [false, true] {
            let found = try RestoreSet.select(info(isPadded: isPadded), wanted: nil, .lsn(try LSN(text)))
            #expect(found?.text == expected.map { Self.labels[$0] })
        }
    }

    /// Before its end no recovery can stop.
    @Test(
        arguments: [
            ("lsn", "0/2FFFFFF", true, false), ("lsn", "0/02FFFFFF", true, false), ("lsn", "0/3000000", false, false),
            ("lsn", "0/03000000", false, false), ("time", "1970-01-01 00:01:39+00", false, true),
            ("time", "1970-01-01 00:01:40+00", false, false), ("time", "yesterday", false, false), ("name", "0/1", false, false),
            ("immediate", nil, false, false),
        ] as [(String, String?, Bool, Bool)])
    func reach(_ type: String, _ target: String?, _ isRefused: Bool, _ warns: Bool) {
        var backup = manifest()
        (backup.lsnStop, backup.timestampStop) = ("0/3000000", 100)
        do throws(BackupError) {
            #expect((try RestoreSet.checkReach(backup, type: type, target: target) != nil) == warns)
            #expect(!isRefused)
        } catch {
            #expect(isRefused && error.code == .backupSetInvalid)
        }
    }

    @Test func others() throws {
        #expect(try RestoreSet.select(info(), wanted: label("20260104-000000F"), nil) == nil)
        // The cluster was upgraded, and no backup was made since.
        #expect(throws: BackupError.self) { _ = try RestoreSet.select(info(databaseID: 2), wanted: nil, nil) }
    }
}

/// What a client may ask for, by the name alone.
struct ClientPathTests {
    private static let backup = "backup/demo/20260101-000000F"

    @Test(
        arguments: [
            ("archive/demo/archive.info", true, true, nil), ("archive/demo/archive.info.copy", true, true, nil),
            ("backup/demo/backup.info", true, true, nil), ("backup/demo/archive.info", false, false, nil),
            ("backup/demo/x/backup.info", false, false, nil), ("\(backup)/backup.manifest", false, true, backup),
            ("\(backup)/backup.manifest.copy", false, true, backup), ("\(backup)/pg_data/a", false, false, backup),
            ("backup/demo/latest/backup.manifest", false, false, nil), ("archive/demo/15-1/00000002.history", false, true, nil),
            ("archive/demo/15-1/0000000g.history", false, false, nil), ("archive/demo/15-1/x/00000002.history", false, false, nil),
            ("", false, false, nil),
        ] as [(String, Bool, Bool, String?)])
    func kinds(_ path: String, _ isStanzaInfo: Bool, _ isInfo: Bool, _ backup: String?) {
        let found = ClientPath(Key(path))
        #expect(found.isStanzaInfo == isStanzaInfo && found.isInfo == isInfo && found.backup?.path == backup)
    }

    @Test(arguments: [
        ("backup/demo/latest", "20260101-000000F", true), ("backup/demo/latest", "../x", false),
        ("backup/demo/other", "20260101-000000F", false),
        ("\(backup)/pg_data/pg_tblspc/16400", "../../pg_tblspc/16400", true),
        ("\(backup)/pg_data/pg_tblspc/16400", "../../pg_tblspc/16401", false), ("\(backup)/pg_data/pg_tblspc/16400", "/etc", false),
        ("\(backup)/pg_data/x/16400", "../../pg_tblspc/16400", false),
    ])
    func links(_ path: String, _ target: String, _ isLink: Bool) { #expect(ClientPath(Key(path)).isLink(to: target) == isLink) }
}

/// The clusters that a stanza has belonged to.
struct DatabaseHistoryTests {
    private func read(_ entries: [(section: String, key: String, value: String)]) throws -> DatabaseHistory {
        var reader = DatabaseHistory.Reader(systemKey: "db-id")
        for entry in entries { try reader.add(entry.section, entry.key, try #require(JSON(parsing: Array(entry.value.utf8)))) }
        return try reader.finish()
    }

    @Test func upgraded() throws {
        let history = try read([
            ("db", "db-id", "2"), ("db:history", "2", #"{"db-id":7,"db-version":"15"}"#),
            ("db:history", "1", #"{"db-id":6,"db-version":"9.6"}"#),
        ])
        #expect(history.databases.map(\.archiveID) == ["9.6-1", "15-2"])
        #expect(history.current.identity == ClusterIdentity(systemID: 7, version: .v15))
        #expect(history.database(1)?.version == .v9_6 && history.database(3) == nil)
    }

    @Test(arguments: [
        [("db", "db-id", "1")], [("db:history", "1", #"{"db-id":7,"db-version":"15"}"#)],
        [("db", "db-id", "2"), ("db:history", "1", #"{"db-id":7,"db-version":"15"}"#)],
        [("db", "db-id", "1"), ("db:history", "0", #"{"db-id":7,"db-version":"15"}"#)],
        [("db", "db-id", "1"), ("db:history", "1", #"{"db-id":7,"db-version":""}"#)],
        [("db", "db-id", "1"), ("db:history", "1", #"{"db-id":7,"db-version":"../x"}"#)],
        [("db", "db-id", "1"), ("db:history", "1", #"{"db-version":"15"}"#)],
    ])
    func refused(_ entries: [(String, String, String)]) {
        #expect(throws: BackupError.self) { _ = try read(entries.map { (section: $0.0, key: $0.1, value: $0.2) }) }
    }

    /// Of versions that this program does not know too: what was read is written again.
    @Test(arguments: [("9.6", 906), ("8.4", 804), ("10", 1000), ("18", 1800), ("21", 2100)])
    func versions(_ text: String, _ number: Int) {
        #expect(PostgresVersion(written: text)?.number == number && PostgresVersion(written: text)?.description == text)
    }

    @Test(arguments: ["", "9", "15.1", "015", "9.06", "x", "9.", ".6", "1e3", "-9.6", "9.6.1"])
    func noVersions(_ text: String) { #expect(PostgresVersion(written: text) == nil) }
}
