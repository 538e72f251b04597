import EndToEndSupport
import Foundation
import Testing

/// The WAL that counts is that of the server which is backed up: a copy of the cluster writes segments of the same names.
@Suite(.servers)
struct OwnWALTests {
    /// A copy of a cluster that archives into the same stanza. What the other server archived is not taken for its own.
    @Test func twin() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try cluster.stop()
        let twin = try Cluster(.version(15), in: bench.folder, name: "twin")
        try run(["cp", "-a", cluster.data, twin.data])
        try cluster.start()
        for number in 1...6 {
            try cluster.query("INSERT INTO item VALUES (\(-number), 'of the first')")
            try cluster.archiveCurrentSegment()
        }
        let options = ["--pg1-path=\(twin.data)", "--pg1-socket-path=\(twin.socket)"]
        // archive-push wants to be called in the folder that it is told of.
        try twin.configure([
            "archive_command": "'\(bench.command(["--pg1-path=\(twin.data)", "archive-push", "%p"]).joined(separator: " "))'"
        ])
        try twin.start()
        try twin.query("INSERT INTO item VALUES (0, 'of the twin'); SELECT pg_switch_wal()")
        try twin.wait(until: "SELECT failed_count > 0 FROM pg_stat_archiver")
        #expect(twin.log.contains("[045]"), "\(twin.log)")
        for command in [["check"], ["--type=full", "backup"]] {
            let outcome = try bench.attempt(options + command)
            #expect(outcome.status == 45, "\(outcome)")
            #expect(outcome.text.contains("another server") && outcome.text.contains("has failed"), "\(outcome)")
        }
        #expect(try bench.labels().count == 1)
        // The one whose WAL is there is not disturbed.
        try bench.run("check")
        try bench.run("--type=full", "backup")
        try twin.stop()
        try bench.bringBack(cluster)
    }

    /// Another server's WAL comes while a backup runs: seen at its end.
    @Test(arguments: [RepositoryKind.posix, .pulled])
    func twinDuringABackup(_ kind: RepositoryKind) throws {
        let bench = try Workbench(Format(.none), on: kind)
        let cluster = try bench.clusterWithBackup()
        let backup = try waitingBackup(bench, cluster)
        // The segment in which the backup will stop is there already, and is another's.
        let segment = try cluster.query("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        let sha1 = String(repeating: "5a", count: 20)
        try bench.files.write("archive/demo/15-1/\(segment.prefix(16))/\(segment)-\(sha1)", Data(repeating: 1, count: 1 << 20))
        try cluster.query("CHECKPOINT")
        let outcome = try backup.wait()
        #expect(outcome.status == 45 && outcome.text.contains(sha1), "\(outcome)")
        #expect(try bench.labels().count == 1)
    }

    /// A segment that the server has recycled was archived before, also where the statistics were reset since.
    @Test func recycled() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        let backup = try waitingBackup(bench, cluster)
        for _ in 1...3 { try cluster.archiveCurrentSegment() }
        try cluster.query("CHECKPOINT")
        let outcome = try backup.wait()
        #expect(outcome.status == 0, "\(outcome)")
        try cluster.query("SELECT pg_stat_reset_shared('archiver')")
        try bench.run("check")
        #expect(try bench.labels().count == 2)
    }

    /// One that has begun in the current segment and waits for a checkpoint.
    private func waitingBackup(_ bench: Workbench, _ cluster: Cluster) throws -> Running {
        try cluster.query("CREATE TABLE IF NOT EXISTS dirty AS SELECT n FROM generate_series(1, 20000) n; SELECT pg_switch_wal()")
        let backup = try bench.launch("--type=full", "--no-start-fast", "backup")
        try eventually("the backup waits for its checkpoint") {
            if let outcome = backup.poll() { throw Failure("\(outcome)") }
            return try cluster.query(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%backup\\_start(%' AND application_name LIKE 'pgBackstop%'") == "1"
                ? true : nil
        }
        return backup
    }
}
