import EndToEndSupport
import Foundation
import Testing

/// Two hosts that use one repository: here two folders of locks, so neither sees the locks of the other.
@Suite(.servers)
struct TwoHostsTests {
    private func far(_ bench: Workbench) throws -> String { "--lock-path=\(try bench.folder.makeDirectory("lock of another host"))" }

    private func claims(_ bench: Workbench) throws -> [String] {
        try bench.files.names("backup/demo").filter { $0.contains("/backup.lease-") }
    }

    /// A cluster that is backed up so slowly that a backup can be held in the middle.
    private func slowCluster(_ bench: Workbench) throws -> Cluster {
        let cluster = try bench.clusterWithBackup()
        try cluster.query(
            "CREATE TABLE large AS SELECT n AS id, md5(n::text) || md5((n + 1)::text) AS text FROM generate_series(1, 200000) n; CHECKPOINT"
        )
        return cluster
    }

    /// A backup that stands still after its first bytes, as on a host that is suspended.
    private func held(_ bench: Workbench, _ options: String...) throws -> Running {
        let running = try Running(
            bench.command(options + ["--type=full", "--process-max=1", "--job-retry=0", "backup"]), in: bench.folder.path)
        try eventually("the backup is at work") {
            if let outcome = running.poll() { throw Failure("it ended before it could be held\n\(outcome)") }
            return try bench.info().status.lock?.backup.sizeComplete ?? 0 > 0 ? true : nil
        }
        running.signal(SIGSTOP)
        return running
    }

    @Test(arguments: [RepositoryKind.posix, .s3TLS])
    func sameSecond(_ kind: RepositoryKind) throws {
        let bench = try Workbench(Format(.zst, .aes), on: kind)
        let cluster = try bench.clusterWithBackup()
        let other = try far(bench)
        for round in 1...2 {
            let both = [try bench.launch("--type=full", "backup"), try bench.launch(other, "--type=full", "backup")]
            let outcomes = try both.map { try $0.wait() }
            #expect(outcomes.map(\.status).sorted() == [0, 50], "\(outcomes)")
            let loser = try #require(outcomes.first { $0.status == 50 })
            #expect(loser.text.contains("in use by backup") && loser.text.contains("on host '"), "\(loser)")
            #expect(try bench.labels().count == 1 + round)
        }
        #expect(try claims(bench) == [])
        #expect(try bench.files.names("backup/demo", ending: "backup.manifest").count == 3)
        try bench.bringBack(cluster)
    }

    @Test func oneWhileTheOtherRuns() throws {
        let bench = try Workbench(Format(.bz2))
        let cluster = try slowCluster(bench)
        let first = try held(bench)
        let second = try bench.attempt(far(bench), "--type=full", "backup")
        #expect(second.status == 50, "\(second)")
        #expect(second.text.contains("process \(first.process) on host '"), "\(second)")
        first.signal(SIGCONT)
        #expect(try first.wait().status == 0)
        #expect(try bench.labels().count == 2)
        #expect(try claims(bench) == [])
        try bench.bringBack(cluster)
    }

    /// Its host is gone: another host waits until the claim is out of date, then takes away what is left.
    @Test func abandoned() throws {
        let bench = try Workbench(Format(.bz2))
        _ = try slowCluster(bench)
        let killed = try held(bench)
        killed.signal(SIGKILL)
        _ = try killed.wait()
        let left = try #require(try bench.files.names("backup/demo", ending: "backup.manifest.copy").last)
        let claim = try #require(try claims(bench).first)
        let early = try bench.attempt(far(bench), "--type=full", "backup")
        #expect(early.status == 50, "\(early)")
        #expect(try bench.files.contains(left))
        try run(["touch", "-d", "-21 minutes", "\(bench.repository)/\(claim)"])
        let later = try bench.run(try far(bench), "--type=full", "backup")
        #expect(later.text.contains("remove unfinished backup"), "\(later)")
        #expect(try !bench.files.contains(left))
        #expect(try claims(bench) == [])
    }

    /// A host that was suspended for long wakes up after its place was taken: it must not publish what is no longer there.
    @Test func wakesUpTooLate() throws {
        let bench = try Workbench(Format(.bz2))
        _ = try slowCluster(bench)
        let sleeper = try held(bench)
        let claim = try #require(try claims(bench).first)
        try run(["touch", "-d", "-21 minutes", "\(bench.repository)/\(claim)"])
        try bench.run(try far(bench), "--type=full", "backup")
        let labels = try bench.labels()
        sleeper.signal(SIGCONT)
        let outcome = try sleeper.wait()
        // Whichever is noticed first: the lost claim, or that its files are gone.
        #expect([50, 55, 103].contains(outcome.status), "\(outcome)")
        #expect(try bench.labels() == labels)
        #expect(try bench.run("--type=full", "backup").status == 0)
        #expect(try bench.labels().count == labels.count + 1)
    }

    /// What somebody removes or cuts off while the backup runs is noticed before the backup counts.
    @Test(arguments: ["rm", "truncate -s 1"])
    func stolenFile(_ command: String) throws {
        let bench = try Workbench(Format(.bz2))
        let cluster = try slowCluster(bench)
        // The largest file is copied first, so all of what is there is complete but that one.
        let running = try held(bench, "--archive-timeout=50")
        let label = try #require(
            try bench.files.names("backup/demo", ending: "backup.manifest.copy").last?.split(separator: "/").dropLast().last)
        running.signal(SIGCONT)
        let folder = "\(bench.repository)/backup/demo/\(label)"
        try eventually("a file is stored") {
            let found = try run(["find", folder, "-name", "*.bz2", "-size", "+2k"]).output.split(separator: "\n").first
            return try found.map { try attempt(["sh", "-c", "\(command) \"$0\"", String($0)]).status == 0 } == true ? true : nil
        }
        let outcome = try running.wait()
        #expect(outcome.status == 103, "\(outcome)")
        #expect(outcome.text.contains(command == "rm" ? "is missing" : "has 1 bytes"), "\(outcome)")
        #expect(try bench.labels().count == 1)
        try bench.run("--type=full", "backup")
        try bench.bringBack(cluster)
    }

    /// What is written to backup.info by somebody else while a backup runs stays there.
    @Test func listIsReadAgain() throws {
        let bench = try Workbench(Format(.bz2))
        _ = try slowCluster(bench)
        let before = try bench.files.read("backup/demo/backup.info")
        try bench.run("--type=full", "backup")
        let after = try bench.files.read("backup/demo/backup.info")
        func put(_ content: Data) throws {
            for suffix in ["", ".copy"] { try bench.files.write("backup/demo/backup.info\(suffix)", content) }
        }
        let second = try #require(try bench.labels().last)
        // Out of sight at the begin, in the list and with a manifest at the end.
        try put(before)
        try run(["mv", "\(bench.repository)/backup/demo/\(second)", bench.folder.path("aside")])
        let running = try held(bench)
        try run(["mv", bench.folder.path("aside"), "\(bench.repository)/backup/demo/\(second)"])
        try put(after)
        running.signal(SIGCONT)
        #expect(try running.wait().status == 0)
        #expect(try bench.labels().count == 3)
        #expect(try bench.labels().contains(second))
    }

    @Test func stanzaCreate() throws {
        let bench = try Workbench(Format(.zst, .aes))
        let cluster = try bench.cluster()
        let other = try far(bench)
        for _ in 1...3 {
            let both = [try bench.launch("stanza-create"), try bench.launch(other, "stanza-create")]
            let outcomes = try both.map { try $0.wait() }
            #expect(outcomes.contains { $0.status == 0 } && outcomes.allSatisfy { [0, 50].contains($0.status) }, "\(outcomes)")
            for name in ["archive/demo/archive.info", "backup/demo/backup.info"] {
                #expect(try bench.files.read(name) == bench.files.read("\(name).copy"), "\(name)")
            }
            try bench.run("stanza-create")
            try run(["sh", "-c", "rm -r \"$0\"/archive/demo \"$0\"/backup/demo", bench.repository])
        }
        try bench.run("stanza-create")
        try bench.run("--type=full", "backup")
        #expect(try claims(bench) == [])
        try cluster.stop()
    }

    /// pgBackRest makes no claims: what it may be making on another host stays, for an hour.
    @Test func unfinishedBackupOfThePeer() throws {
        let bench = try Workbench()
        _ = try bench.clusterWithBackup()
        let label = "20200101-000000F"
        let folder = "\(bench.repository)/backup/demo/\(label)"
        try run(["mkdir", "-p", "\(folder)/pg_data"])
        for name in ["backup.manifest.copy", "pg_data/PG_VERSION"] { try run(["sh", "-c", "echo 15 >\"$0\"", "\(folder)/\(name)"]) }
        let first = try bench.run("--type=full", "backup")
        #expect(first.text.contains("unfinished backup \(label) is left alone"), "\(first)")
        #expect(try bench.files.contains("backup/demo/\(label)/pg_data/PG_VERSION"))
        try run(["sh", "-c", "find \"$0\" -type f -exec touch -d '-61 minutes' {} +", folder])
        try bench.run("--type=full", "backup")
        #expect(try !bench.files.contains("backup/demo/\(label)/pg_data/PG_VERSION"))
    }

    /// `latest` is for people: what stands in its place does not fail a backup.
    @Test func latestIsAFolder() throws {
        let bench = try Workbench()
        _ = try bench.clusterWithBackup()
        try run(["sh", "-c", "cd \"$0\"/backup/demo && rm latest && mkdir latest && echo x >latest/y", bench.repository])
        let outcome = try bench.run("--type=full", "backup")
        #expect(outcome.text.contains("'latest' could not be made"), "\(outcome)")
        #expect(try bench.labels().count == 2)
    }
}
