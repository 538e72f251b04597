import EndToEndSupport
import Foundation
import Testing

/// kill -9 at any moment: what was there stays whole, nothing half-made is shown as made, and the next run works.
@Suite(.servers)
struct InterruptionTests {
    /// Runs a command to its end to learn how long it takes, then again and again, killed at seeded moments of that time.
    private func interrupt(
        _ times: Int, seed: UInt64, lasting seconds: Double, _ launch: () throws -> Running, afterwards: (_ ended: Outcome) throws -> Void
    ) throws {
        var random = Seeded(seed)
        var seconds = seconds
        for _ in 0..<times {
            let moment = Double.random(in: 0...seconds, using: &random)
            let running = try launch()
            let killAt = ContinuousClock.now + .seconds(moment)
            while running.poll() == nil && ContinuousClock.now < killAt { pause(0.0005) }
            running.signal(9)
            let outcome = try running.wait()
            // One that got through says how long it takes now: the machine may have had more to do before.
            if outcome.status == 0 { seconds = min(seconds, outcome.seconds * 0.8) }
            try afterwards(outcome)
        }
    }

    @Test(arguments: RepositoryCase.table(.backupIsKilled, [Format(.zst), Format(.zst, .aes)], elsewhere: [Format(.zst)]))
    func backup(_ example: RepositoryCase) throws {
        // Each other one with all that a backup can be besides.
        let isPlain = example.row % 2 == 1
        let bench = try Workbench(
            example, options: isPlain ? [:] : ["repo1-bundle": "y", "repo1-block": "y", "repo1-bundle-limit": "64KiB"])
        let type = isPlain ? "--type=full" : "--type=incr"
        let cluster = try bench.clusterWithBackup()
        let duration = try bench.run(type, "backup").seconds
        var labels = try bench.labels()
        #expect(labels.count == 2)
        var killed = 0
        try interrupt(4, seed: example.row, lasting: duration * 0.95) {
            try cluster.query("UPDATE item SET text = text || 'x' WHERE id % 7 = 0")
            return try bench.launch(type, "backup")
        } afterwards: { outcome in
            killed += outcome.status == 137 ? 1 : 0
            let now = try bench.labels()
            // All that is listed was listed before, or is a backup that was completed just when it was killed, or one that was complete but
            // not listed when the run before was killed.
            #expect(now.starts(with: labels))
            #expect(now.count <= labels.count + 2)
            #expect(try bench.info().status.lock?.backup.held != true)
            labels = now
        }
        #expect(killed > 0)
        let rows = try cluster.fingerprint()
        try bench.run(type, "backup")
        try bench.run(type, "backup")
        // Two of their own, and perhaps that of the last one that was killed.
        #expect(try (2...3).contains(bench.labels().count - labels.count))
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        for label in try bench.labels().suffix(2) {
            try bench.expect(rows, inBackup: label).stop()
        }
    }

    @Test(arguments: RepositoryCase.table(.pushIsKilled, [Format(.none), Format(.zst, .aes), Format(.gz)], elsewhere: [Format(.zst)]))
    func archivePush(_ example: RepositoryCase) throws {
        let (bench, names) = try Segments.workbench(example.format, on: example.kind)
        let duration = try bench.push(names[0]).seconds
        var random = Seeded(example.row + 2)
        for name in names.dropFirst() {
            // Some of these are killed, some get through; either is fine, a lie is not.
            let running = try Running(bench.command(["archive-push", "pg_wal/\(name)"]), in: bench.data)
            let killAt = ContinuousClock.now + .seconds(Double.random(in: 0...duration * 1.1, using: &random))
            while running.poll() == nil && ContinuousClock.now < killAt { pause(0.0002) }
            running.signal(9)
            let reportedAsPushed = try running.wait().status == 0
            let got = try bench.get(name)
            if reportedAsPushed { #expect(got != nil) }
            if let got { #expect(try bench.isSame(name, as: got)) }
        }
        for name in names {
            #expect(try bench.push(name).status == 0)
            let got = try #require(try bench.get(name))
            #expect(try bench.isSame(name, as: got))
        }
        #expect(try bench.info().archive.first?.min == names.first)
        #expect(try bench.info().archive.first?.max == names.last)
    }

    @Test(arguments: Feature.restoreIsKilled.kinds)
    func restore(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        let cluster = try bench.clusterWithBackup()
        let rows = try cluster.fingerprint()
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try run(["rm", "-rf", bench.data])
        try run(["mkdir", "-m", "700", bench.data])
        let duration = try bench.run("restore").seconds
        try interrupt(4, seed: 5, lasting: duration * 0.95) {
            try run(["rm", "-rf", bench.data])
            try run(["mkdir", "-m", "700", bench.data])
            return try bench.launch("restore")
        } afterwards: { outcome in
            // A half-restored cluster cannot be started by mistake: pg_control comes last.
            let complete = try attempt(["test", "-e", "\(bench.data)/global/pg_control"]).status == 0
            if outcome.status == 0 { #expect(complete) }
            if !complete { #expect(try cluster.tryToStart().status != 0) }
        }
        // And what it began can be finished.
        if try attempt(["test", "-e", "\(bench.data)/global/pg_control"]).status == 0 {
            try run(["rm", "\(bench.data)/global/pg_control"])
        }
        try bench.run("--delta", "restore")
        try cluster.start()
        try cluster.waitForPromotion()
        #expect(try cluster.fingerprint() == rows)
    }

    /// While a backup runs, info tells how far it is, and nobody else starts one.
    @Test func progress() throws {
        let bench = try Workbench(Format(.bz2), options: ["process-max": "1"])
        let cluster = try bench.clusterWithBackup()
        try cluster.query(
            "CREATE TABLE large AS SELECT n AS id, md5(n::text) || md5((n + 1)::text) AS text FROM generate_series(1, 300000) n; CHECKPOINT"
        )
        let running = try bench.launch("--type=full", "backup")
        let progress = try eventually("info shows the progress of the backup") {
            if let outcome = running.poll() { throw Failure("the backup ended before info could show it\n\(outcome)") }
            let lock = try bench.info().status.lock?.backup
            return (lock?.sizeComplete ?? 0) > 0 ? lock : nil
        }
        running.signal(19) // stop: it is held where it is, as long as we look
        #expect(progress.held)
        let size = try #require(progress.size), complete = try #require(progress.sizeComplete)
        #expect(size > 20_000_000)
        #expect(complete > 0 && complete <= size)
        #expect(try bench.labels().count == 1)
        let text = try bench.run("info").output
        #expect(text.contains(try Regex(#"status: ok \(backup/expire running - \d+\.\d\d% complete\)"#)), "\(text)")
        let second = try bench.attempt("--type=full", "backup")
        #expect(second.status == 50, "\(second)")
        running.signal(18) // go on
        #expect(try running.wait().status == 0)
        #expect(try bench.info().status.lock?.backup.held == false)
        #expect(try bench.labels().count == 2)
    }

    /// A signal that asks for the end gets it: status 63, the lock free, nothing listed.
    @Test(arguments: [(2, .posix), (15, .posix)] + Feature.backupIsTerminated.others.map { (15, $0) } as [(Int32, RepositoryKind)])
    func terminate(_ signal: Int32, _ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind, options: ["process-max": "1"])
        let cluster = try bench.clusterWithBackup()
        try cluster.query(
            "CREATE TABLE large AS SELECT n AS id, md5(n::text) || md5((n + 1)::text) AS text FROM generate_series(1, 300000) n; CHECKPOINT"
        )
        // Takes long enough to be caught at it.
        let running = try bench.launch("--type=full", "--compress-type=bz2", "backup")
        try eventually("the backup is at work") { try bench.info().status.lock?.backup.held == true ? true : nil }
        kill(running.process, signal)
        let outcome = try running.wait()
        #expect(outcome.status == 63, "\(outcome)")
        #expect(try bench.info().status.lock?.backup.held == false)
        #expect(try bench.labels().count == 1)
        // A driver in another process may still be at it.
        try eventually("nothing unfinished is left") { try bench.files.unfinished("backup").isEmpty ? true : nil }
        // The server is not left in backup mode.
        try cluster.wait(
            until: "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()", is: "0")
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 2)
    }
}
