import EndToEndSupport
import Testing

/// What a user gets for what cannot work: an exit status that scripts know, and a message that names the thing.
@Suite(.servers)
struct BadInputTests {
    struct Case: Sendable, CustomStringConvertible {
        let arguments: [String]
        let status: Int32
        /// What the message must say.
        let words: [String]
        var stanza: String? = "demo"
        /// Lines for the [global] section.
        var global: KeyValuePairs<String, String> = [:]
        var description: String {
            (arguments + global.map { "\($0.key)=\($0.value)" } + (stanza == nil ? ["without stanza"] : [])).joined(separator: " ")
        }

        init(_ arguments: String..., status: Int32, words: String..., stanza: String? = "demo", global: KeyValuePairs<String, String> = [:])
        {
            (self.arguments, self.status, self.words, self.stanza, self.global) = (arguments, status, words, stanza, global)
        }
    }

    /// These are known by pgBackRest 2.45 with the same status.
    static let commandLines: [Case] = [
        Case("backup", "--no-such-option", status: 31, words: "no-such-option"),
        Case("backup", "--target=x", status: 31, words: "target"),
        Case("backup", "--repo1-cipher-pass=secret", status: 31, words: "repo1-cipher-pass"),
        Case("backup", "--process-max=1", "--process-max=2", status: 31, words: "process-max"),
        Case("backup", "--compress-type=rar", status: 32, words: "rar", "compress-type"),
        Case("backup", "--process-max=0", status: 32, words: "0", "process-max"),
        Case("backup", "--process-max=many", status: 32, words: "many", "process-max"),
        Case("backup", "--pg1-path=relative", status: 32, words: "relative", "pg1-path"),
        Case("backup", "--start-fast=perhaps", status: 32, words: "start-fast"),
        Case("backup", "--repo=7", status: 32, words: "7"),
        Case("backup", "--type=weekly", status: 32, words: "weekly"),
        Case("backup", status: 37, words: "stanza", stanza: nil),
        Case("restore", status: 37, words: "stanza", stanza: nil),
        Case("archive-push", status: 43, words: "WAL-PATH"),
        Case("make-coffee", status: 48, words: "make-coffee"),
        Case("info", "extra", status: 96),
        Case("info", "--config=/nowhere/at.all", status: 31, words: "config", "more than once"),
        Case("info", status: 32, words: "sideways", global: ["log-level-console": "sideways"]),
    ]

    @Test(arguments: commandLines)
    func commandLine(_ example: Case) throws {
        let bench = try Workbench(options: example.global)
        let outcome = try bench.attempt(example.arguments, stanza: example.stanza)
        try expect(outcome, example.status, example.words)
    }

    /// These are decisions of ours: no silence about what has no effect.
    @Test(arguments: [
        Case("info", status: 31, words: "repo1-retention-ful", "repo1-retention-full", global: ["repo1-retention-ful": "2"]),
        Case("info", status: 31, words: "proces-max", "process-max", global: ["proces-max": "2"]),
        Case("--archive-async", "archive-push", "x", status: 67, words: "not supported yet", "archive-async"),
        Case("info", status: 67, words: "not supported yet", "azure", global: ["repo1-type": "azure"]),
    ])
    func neverSilent(_ example: Case) throws {
        let bench = try Workbench(options: example.global)
        let outcome = try bench.attempt(example.arguments, stanza: example.stanza)
        try expect(outcome, example.status, example.words)
    }

    private func expect(_ outcome: Outcome, _ status: Int32, _ words: [String]) throws {
        #expect(outcome.status == status, "\(outcome)")
        #expect(outcome.text.contains("ERROR: [\(status < 100 ? "0" : "")\(status)]: "), "\(outcome)")
        for word in words { #expect(outcome.text.contains(word), "\(outcome)") }
    }

    @Test func configurationFile() throws {
        let bench = try Workbench()
        let missing = try attempt([bench.tool.path, "--config=\(bench.folder.path("none.conf"))", "--stanza=demo", "backup"])
        try expect(missing, 55, [bench.folder.path("none.conf")])
        try bench.folder.write("broken.conf", "[global]\nrepo1-path=/x\nthis is no option\n")
        let broken = try attempt([bench.tool.path, "--config=\(bench.folder.path("broken.conf"))", "--stanza=demo", "backup"])
        try expect(broken, 29, ["line 3", "'this' is not KEY=VALUE"])
        try bench.folder.write("empty.conf", "[global]\n")
        let empty = try attempt([bench.tool.path, "--config=\(bench.folder.path("empty.conf"))", "--stanza=demo", "backup"])
        try expect(empty, 37, ["pg1-path"])
    }

    @Test func passphraseIsMissing() throws {
        let bench = try Workbench(options: ["repo1-cipher-type": "aes-256-cbc"])
        try expect(try bench.attempt("--no-online", "stanza-create"), 37, ["repo1-cipher-pass"])
    }

    @Test(arguments: Feature.stanzaDoesNotExist.kinds)
    func stanzaDoesNotExist(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        let cluster = try bench.cluster()
        try expect(try bench.attempt("--type=full", "backup"), 55, ["backup.info", "stanza-create"])
        let name = try cluster.query("SELECT pg_walfile_name(pg_switch_wal())")
        let push = try bench.attempt("archive-push", "pg_wal/\(name)", in: bench.data)
        try expect(push, 103, ["archive.info"])
        #expect(try bench.info().status.code == 1)
        try cluster.stop()
        try run(["rm", "-rf", cluster.data])
        try run(["mkdir", "-m", "700", cluster.data])
        #expect([55, 75].contains(try bench.attempt("restore").status))
    }

    @Test func repositoryIsNotWritable() throws {
        let bench = try Workbench()
        try run(["cp", "-a", try Segments.source.get().folder.path("data"), bench.data])
        try run(["chmod", "500", bench.repository])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect([41, 47, 53, 105].contains(outcome.status), "\(outcome)")
        #expect(outcome.text.contains(bench.repository), "\(outcome)")
        try run(["chmod", "700", bench.repository])
        try bench.run("--no-online", "stanza-create")
    }

    @Test func serverDoesNotRunOrMustNot() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try expect(try bench.attempt("restore"), 38, [bench.data])
        try expect(try bench.attempt("--delta", "restore"), 38, [bench.data])
        try expect(try bench.attempt("--type=full", "--no-online", "backup"), 38, ["postmaster.pid"])
        try cluster.stop()
        for command in ["backup", "check", "stanza-create"] {
            let outcome = try bench.attempt(command)
            #expect(outcome.status == 56 || (command == "check" && outcome.status == 27), "\(outcome)")
            #expect(outcome.text.contains(cluster.socket), "\(outcome)")
        }
        #expect(try bench.labels().count == 1)
        // A folder with content is not overwritten without being told to.
        try expect(try bench.attempt("restore"), 40, [bench.data])
        #expect(try attempt(["test", "-e", "\(bench.data)/global/pg_control"]).status == 0)
        try bench.run("--delta", "restore")
    }

    @Test func archivingIsOff() throws {
        let bench = try Workbench()
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        try cluster.start()
        try bench.run("stanza-create")
        try expect(try bench.attempt("--type=full", "backup"), 87, ["archive_mode"])
        try expect(try bench.attempt("check"), 87, ["archive_mode"])
        try cluster.stop()
        try cluster.configure(["archive_mode": "on", "archive_command": "'true'"])
        try cluster.start()
        try expect(try bench.attempt("--type=full", "backup"), 68, ["archive_command"])
        #expect(try bench.labels().isEmpty)
        try bench.configure(["archive-timeout": "1"])
        try cluster.stop()
        try cluster.configure(["archive_command": "'true \(bench.tool.name) archive-push %p'"])
        try cluster.start()
        try expect(try bench.attempt("--type=full", "backup"), 82, ["00000001"])
        #expect(try bench.labels().isEmpty)
    }

    /// Another cluster where the stanza's should be.
    @Test(arguments: Feature.otherCluster.kinds)
    func otherCluster(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        try bench.clusterWithBackup().stop()
        try run(["rm", "-rf", bench.data])
        let other = try bench.cluster(fresh: true)
        try expect(try bench.attempt("--type=full", "backup"), 51, ["system-id"])
        try expect(try bench.attempt("stanza-create"), 28, ["stanza"])
        try other.wait(until: "SELECT failed_count > 0 FROM pg_stat_archiver", is: "f")
        try other.query("SELECT pg_switch_wal()")
        try other.wait(until: "SELECT failed_count > 0 FROM pg_stat_archiver")
        #expect(other.log.contains("[044]") || other.log.contains("ArchiveMismatchError"), "\(other.log)")
        #expect(try bench.labels().count == 1)
    }

    @Test(arguments: Feature.wrongPassphrase.kinds)
    func wrongPassphrase(_ kind: RepositoryKind) throws {
        let bench = try Workbench(Format(.zst, .aes), on: kind)
        let cluster = try bench.clusterWithBackup()
        try cluster.archiveCurrentSegment()
        try bench.configure(["repo1-cipher-pass": "another passphrase"])
        for arguments in [["--type=full", "backup"], ["check"], ["archive-get", "000000010000000000000001", bench.folder.path("got")]] {
            let outcome = try bench.attempt(arguments, in: bench.data)
            #expect(arguments[0] == "archive-get" ? outcome.status == 200 : outcome.status > 1 && outcome.status < 126, "\(outcome)")
            #expect(outcome.text.contains("crypt") || outcome.text.contains("cipher"), "\(outcome)")
        }
        try cluster.stop()
        try run(["rm", "-rf", bench.data])
        try run(["mkdir", "-m", "700", bench.data])
        let outcome = try bench.attempt("restore")
        #expect(outcome.status != 0, "\(outcome)")
        #expect(outcome.text.contains("crypt") || outcome.text.contains("cipher"), "\(outcome)")
        try bench.configure()
        try bench.run("restore")
    }

    /// One of the two copies of backup.info is enough. Without both nothing is lost, but nothing goes on either.
    @Test(arguments: Feature.damagedBackupInfo.kinds)
    func damagedBackupInfo(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        let cluster = try bench.clusterWithBackup()
        let file = "backup/demo/backup.info"
        try bench.files.replace("backup-type", with: "backup-tape", in: file)
        #expect(try bench.labels().count == 1)
        try bench.files.copy(file, to: "\(file).copy")
        let backup = try bench.attempt("--type=full", "backup")
        #expect([26, 29, 55, 99].contains(backup.status), "\(backup)")
        #expect(backup.text.contains("backup.info"), "\(backup)")
        try cluster.stop()
        let restore = try bench.attempt("--delta", "restore")
        #expect(restore.status != 0, "\(restore)")
        #expect(try attempt(["test", "-e", "\(bench.data)/PG_VERSION"]).status == 0)
    }

    /// A stored file that is not what it was: restore says which one, and the data folder cannot be started by mistake.
    @Test(
        arguments: RepositoryCase.table(
            .damagedFile, [Format(.none), Format(.zst), Format(.gz), Format(.lz4, .aes)], elsewhere: [Format(.zst), Format(.gz, .aes)]))
    func damagedFile(_ example: RepositoryCase) throws {
        let bench = try Workbench(example, options: ["job-retry": "0"])
        let cluster = try bench.clusterWithBackup()
        let table = try cluster.query("SELECT pg_relation_filepath('item')")
        let label = try #require(try bench.labels().first)
        try bench.files.damage("backup/demo/\(label)/pg_data/\(table)\(example.format.codec.suffix)", at: 3000)
        try cluster.stop()
        try run(["rm", "-rf", bench.data])
        try run(["mkdir", "-m", "700", bench.data])
        let outcome = try bench.attempt("restore")
        #expect([26, 29, 95].contains(outcome.status), "\(outcome)")
        #expect(outcome.text.contains(table), "\(outcome)")
        #expect(outcome.text.contains("repo1"), "\(outcome)")
        #expect(try attempt(["test", "-e", "\(bench.data)/global/pg_control"]).status == 1)
    }

    @Test(arguments: Feature.missingFile.kinds)
    func missingFile(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind, options: ["job-retry": "0"])
        let cluster = try bench.clusterWithBackup()
        let table = try cluster.query("SELECT pg_relation_filepath('item')")
        let label = try #require(try bench.labels().first)
        try bench.files.remove("backup/demo/\(label)/pg_data/\(table).zst")
        try cluster.stop()
        try run(["rm", "-rf", bench.data])
        try run(["mkdir", "-m", "700", bench.data])
        let outcome = try bench.attempt("restore")
        try expect(outcome, 55, [table])
        #expect(try attempt(["test", "-e", "\(bench.data)/global/pg_control"]).status == 1)
    }

    /// A manifest is data from a repository that others may be able to write: it must not lead out of the places to restore to.
    @Test(arguments: ["pg_data/../evil", "pg_data/base/../../evil", "pg_data//evil", "pg_tblspc/../../evil", "../evil", "/tmp/evil"])
    func manifestThatLeadsOut(_ name: String) throws {
        let bench = try Workbench(Format(.none))
        let cluster = try bench.clusterWithBackup()
        try cluster.stop()
        let label = try #require(try bench.labels().first)
        for suffix in ["", ".copy"] {
            let file = "\(bench.repository)/backup/demo/\(label)/backup.manifest\(suffix)"
            let text = try run(["cat", file]).output
            let forged = try Forgery.manifest(text, adding: name)
            try bench.folder.write("forged", forged)
            try run(["cp", bench.folder.path("forged"), file])
        }
        try run(["mkdir", "-m", "700", bench.folder.path("target")])
        let outcome = try bench.attempt("--pg1-path=\(bench.folder.path("target"))", "restore")
        #expect(outcome.status != 0, "\(outcome)")
        #expect(outcome.text.contains("evil"), "\(outcome)")
        #expect(try run(["find", bench.folder.path, "-name", "evil"]).output == "")
        #expect(try run(["ls", "-A", bench.folder.path("target")]).output == "")
    }
}
