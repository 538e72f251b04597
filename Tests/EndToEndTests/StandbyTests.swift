import EndToEndSupport
import Foundation
import Testing

/// Backups whose files come from a standby, and backups of a standby alone.
@Suite(.servers)
struct StandbyTests {
    /// A primary with a standby that streams from it, both running; the stanza is there. pg1 is the primary.
    private func pair(_ bench: Workbench, _ version: Int = 15, streams: Bool = true) throws -> (primary: Cluster, standby: Cluster) {
        let primary = try bench.cluster(version)
        try bench.run("stanza-create")
        try primary.query(
            "CREATE TABLE item (id int PRIMARY KEY, text text); INSERT INTO item SELECT n, 'row ' || n FROM generate_series(1, 1000) n")
        try primary.stop()
        let standby = try Cluster(.version(version), in: bench.folder, name: "standby")
        try run(["cp", "-a", primary.data, standby.data])
        try run(["touch", "\(standby.data)/standby.signal"])
        try standby.configure([
            "archive_command": "'\(bench.command(["--pg1-path=\(standby.data)", "archive-push", "%p"]).joined(separator: " "))'"
        ])
        try standby.configure(
            streams
                ? ["primary_conninfo": "'host=\(primary.socket) user=postgres'"]
                : [
                    "restore_command":
                        "'\(bench.command(["--pg1-path=\(standby.data)", "archive-get", "%f", "%p"]).joined(separator: " "))'"
                ])
        try primary.start()
        try standby.start()
        try configure(bench, standby)
        return (primary, standby)
    }

    private func configure(_ bench: Workbench, _ standby: Cluster, primary: [String] = [], timeout: String = "50") throws {
        try bench.configure(
            [("archive-timeout", timeout)],
            stanza: primary + ["pg2-path=\(standby.data)", "pg2-socket-path=\(standby.socket)", "pg2-user=postgres"])
    }

    /// Runs a backup of a standby alone, with a primary that works and does not answer: it archives what it writes.
    private func backup(_ bench: Workbench, _ options: String..., whileWriting primary: Cluster) throws -> Outcome {
        let running = try Running(bench.command(options + ["--backup-standby=y", "backup"]), in: bench.folder.path)
        while running.poll() == nil {
            try primary.query("SELECT pg_create_restore_point('some WAL')")
            try primary.query("SELECT pg_switch_wal()")
            pause(0.1)
        }
        let outcome = try running.wait()
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        return outcome
    }

    private func manifest(_ bench: Workbench, _ label: String) throws -> String {
        try run(["cat", "\(bench.repository)/backup/demo/\(label)/backup.manifest"]).output
    }

    @Test(arguments: [14, 18])
    func filesOfStandby(_ version: Int) throws {
        let bench = try Workbench(Format(.zst), options: version == 18 ? ["repo1-bundle": "y", "repo1-block": "y"] : [:])
        let (primary, standby) = try pair(bench, version)
        var rows: [String] = []
        for (number, type) in ["full", "incr", "diff"].enumerated() {
            try primary.query(
                "UPDATE item SET text = 'round \(number)' WHERE id % 7 = \(number); CREATE TABLE t\(number) AS SELECT * FROM item")
            rows.append(try primary.fingerprint())
            let outcome = try bench.run("--type=\(type)", "--backup-standby=y", "--log-level-console=detail", "backup")
            #expect(outcome.text.contains("wait for replay on the standby to reach"), "\(outcome)")
            // Relations come from the standby; what WAL replay does not write, and pg_control, from the primary.
            #expect(outcome.text.contains("backup file \(standby.data)/base/"), "\(outcome)")
            #expect(!outcome.text.contains("file \(primary.data)/base/"), "\(outcome)")
            #expect(outcome.text.contains("backup file \(primary.data)/global/pg_control"), "\(outcome)")
            let label = try #require(try bench.labels().last)
            #expect(try manifest(bench, label).contains("option-backup-standby=true"))
        }
        try primary.archiveCurrentSegment()
        try primary.stop()
        try standby.stop()
        for (label, rows) in zip(try bench.labels(), rows) {
            // Versions differ, so not by `expect`.
            try run(["rm", "-rf", primary.data])
            let restored = try bench.restore(
                "data", "--set=\(label)", "--type=immediate", "--target-action=promote", version: version,
                tool: version == 18 ? .underTest : .peer)
            try restored.start(["archive_mode=off"])
            try restored.waitForPromotion()
            #expect(try restored.fingerprint() == rows, "\(label)")
            try restored.stop()
        }
    }

    /// What a standby has on disk is older than what the primary had when it was listed: a later backup must not take that for the file.
    @Test func behind() throws {
        let bench = try Workbench(Format(.none))
        let (primary, standby) = try pair(bench)
        try bench.run("--type=full", "--backup-standby=y", "backup")
        try primary.query("CREATE TABLE hot AS SELECT * FROM item")
        // The backup begins, and while the standby does not come along the primary writes on.
        try standby.query("SELECT pg_wal_replay_pause()")
        let running = try bench.launch("--type=incr", "--backup-standby=y", "backup")
        try eventually("the backup waits for the standby") {
            if let outcome = running.poll() { throw Failure("the backup ended too early\n\(outcome)") }
            return try primary.query(
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%restore_point%' OR query LIKE '%backup_start%'")
                == "t" ? true : nil
        }
        try primary.query("UPDATE hot SET text = 'hot'; CHECKPOINT")
        try standby.query("SELECT pg_wal_replay_resume()")
        let first = try running.wait()
        #expect(first.status == 0, "\(first)")
        // Nothing is written any more.
        let rows = try primary.fingerprint()
        try bench.run("--type=incr", "--backup-standby=y", "backup")
        try primary.archiveCurrentSegment()
        try primary.stop()
        try standby.stop()
        try bench.expect(rows)
    }

    /// Only with whole segments from the archive does the standby come along: the backup ends the one that it waits for.
    @Test func standbyOfArchive() throws {
        let bench = try Workbench(Format(.lz4))
        let (primary, standby) = try pair(bench, streams: false)
        let rows = try primary.fingerprint()
        let outcome = try bench.run("--type=full", "--backup-standby=y", "--log-level-console=info", "backup")
        #expect(outcome.text.contains("replay on the standby reached"), "\(outcome)")
        try primary.stop()
        try standby.stop()
        try bench.expect(rows)
    }

    /// prefer goes on with the primary where y ends.
    @Test func notKeepingUp() throws {
        let bench = try Workbench(Format(.none))
        let (primary, standby) = try pair(bench)
        try configure(bench, standby, timeout: "2")
        try standby.query("SELECT pg_wal_replay_pause()")
        let refused = try bench.attempt("--type=full", "--backup-standby=y", "backup")
        #expect(refused.status == 82 && refused.text.contains("replay on the standby has reached"), "\(refused)")
        #expect(refused.text.contains("--backup-standby=prefer"))
        let rows = try primary.fingerprint()
        let outcome = try bench.run("--type=full", "--backup-standby=prefer", "backup")
        #expect(outcome.text.contains("everything is copied from the primary: replay on the standby"), "\(outcome)")
        #expect(try manifest(bench, try bench.labels()[0]).contains("option-backup-standby=false"))
        try primary.archiveCurrentSegment()
        try primary.stop()
        try standby.stop()
        try bench.expect(rows)
    }

    /// A primary is no standby, nor is one of another cluster.
    @Test func noStandby() throws {
        let bench = try Workbench(Format(.none))
        let primary = try bench.cluster()
        try bench.run("stanza-create")
        let alone = try bench.attempt("--type=full", "--backup-standby=y", "backup")
        #expect(alone.status == 56 && alone.text.contains("unable to find standby cluster - cannot proceed"), "\(alone)")
        #expect(alone.text.contains("pg1 is a primary"), "\(alone)")

        let other = try Cluster.make(.version(15), in: bench.folder, name: "standby", fresh: true)
        try other.start()
        try configure(bench, other)
        let two = try bench.attempt("--type=full", "--backup-standby=y", "backup")
        #expect(two.status == 56 && two.text.contains("more than one primary cluster found: pg1, pg2"), "\(two)")
        try other.stop()
        try run(["touch", "\(other.data)/standby.signal"])
        try other.start()
        for command in ["backup", "check"] {
            let foreign = try bench.attempt("--backup-standby=y", command)
            #expect(foreign.status == 58 && foreign.text.contains("pg2 is a standby of another cluster"), "\(foreign)")
        }
        #expect(try bench.labels().isEmpty)
        try primary.stop()
    }

    /// Files that a new primary writes do not belong to a backup that began on the old one.
    @Test func promotedMeanwhile() throws {
        let bench = try Workbench(Format(.bz2), options: ["process-max": "1"])
        let (primary, standby) = try pair(bench)
        try primary.query("CREATE TABLE large AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 200000) n")
        let running = try bench.launch("--type=full", "--backup-standby=y", "backup")
        try eventually("files are copied") { () throws -> Bool? in
            if let outcome = running.poll() { throw Failure("the backup ended too early\n\(outcome)") }
            return ((try? bench.files.names("backup/demo")) ?? []).contains { $0.hasSuffix(".bz2") } ? true : nil
        }
        running.signal(SIGSTOP)
        try standby.promote()
        running.signal(SIGCONT)
        let outcome = try running.wait()
        #expect(outcome.status == 58 && outcome.text.contains("the standby was promoted while it was backed up"), "\(outcome)")
        #expect(try bench.labels().isEmpty)
        try primary.stop()
    }

    /// Without a primary: a full of the standby, an incr of it onto a backup of the primary, and what comes after its promotion.
    @Test(arguments: [14, 18])
    func alone(_ version: Int) throws {
        let bench = try Workbench(Format(.zst))
        let (primary, standby) = try pair(bench, version)
        var rows: [String] = []
        rows.append(try primary.fingerprint())
        try bench.run("--type=full", "backup")
        try primary.query("UPDATE item SET text = 'later' WHERE id % 3 = 0; CREATE TABLE more AS SELECT * FROM item")
        rows.append(try primary.fingerprint())
        let lsn = try primary.query("SELECT pg_current_wal_lsn()")
        try standby.wait(until: "SELECT pg_last_wal_replay_lsn() >= '\(lsn)'")
        try configure(bench, standby, primary: ["pg1-socket-path=\(bench.folder.path("nowhere"))"])
        let none = try bench.attempt("--type=incr", "backup")
        #expect(none.status == 56 && none.text.contains("--backup-standby=y backs up a standby alone"), "\(none)")
        let checked = try bench.run("--backup-standby=y", "--log-level-console=info", "check")
        #expect(checked.text.contains("because pg2 is a standby, and no primary answers"), "\(checked)")
        for type in ["incr", "full"] {
            let outcome = try backup(bench, "--type=\(type)", whileWriting: primary)
            #expect(outcome.text.contains("no primary answers: standby pg2 is backed up alone, by checksums"), "\(outcome)")
        }
        rows.append(rows[1])
        // The new primary sees its files with times of its own.
        try primary.stop()
        try standby.promote()
        try standby.query("UPDATE item SET text = 'new primary' WHERE id % 5 = 0")
        rows.append(try standby.fingerprint())
        try configure(bench, standby, primary: ["pg1-path=\(bench.folder.path("nowhere"))"])
        let after = try bench.run("--type=incr", "backup")
        #expect(after.text.contains("enabling delta checksum"), "\(after)")
        try standby.archiveCurrentSegment()
        try standby.stop()
        try configure(bench, standby)

        let labels = try bench.labels()
        #expect(labels.count == 4)
        for (label, rows) in zip(labels, rows) {
            try run(["rm", "-rf", primary.data])
            let restored = try bench.restore(
                "data", "--set=\(label)", "--type=immediate", "--target-action=promote", version: version,
                tool: version == 14 ? .peer : .underTest)
            try restored.start(["archive_mode=off"])
            try restored.waitForPromotion()
            #expect(try restored.fingerprint() == rows, "\(label)")
            try restored.stop()
            try run([restored.installation.program("pg_checksums"), "--check", "-D", restored.data])
        }
    }

    /// Nobody ends the WAL segment that the backup of a standby needs.
    @Test func aloneWithoutItsWAL() throws {
        let bench = try Workbench(Format(.none))
        let (primary, standby) = try pair(bench)
        try primary.query("INSERT INTO item VALUES (0, 'the last segment is not full')")
        try standby.wait(until: "SELECT count(*) = 1 FROM item WHERE id = 0")
        try configure(bench, standby, primary: ["pg1-socket-path=\(bench.folder.path("nowhere"))"], timeout: "2")
        let outcome = try bench.attempt("--type=full", "--backup-standby=y", "backup")
        #expect(outcome.status == 82 && outcome.text.contains("a standby cannot end a WAL segment"), "\(outcome)")
        #expect(outcome.text.contains("archive_timeout"), "\(outcome)")
        #expect(try bench.labels().isEmpty)
        try primary.stop()
    }
}
