import EndToEndSupport
import Foundation
import Testing

/// The folder of the locks may be open to all users: what they put there is neither written to nor waited for.
@Suite(.servers)
struct LockFolderTests {
    private func bench() throws -> Workbench {
        let bench = try GoldenTiny.unpack("tiny-none")
        try run(["mkdir", "-m", "700", bench.data])
        return bench
    }
    private func restore(_ bench: Workbench) throws -> Outcome {
        try bench.attempt("--type=none", "--tablespace-map=16400=\(bench.folder.path("ts"))", "restore")
    }

    @Test(arguments: ["ln -s ../victim.txt", "ln victim.txt", "ln -s nowhere", "mkfifo", "mkdir"])
    func isNoLockFile(_ command: String) throws {
        let bench = try bench()
        let victim = try bench.folder.write(
            "victim.txt", "keep this text, it is longer than what a lock file holds: \(String(repeating: "x", count: 500))")
        let before = try run(["sh", "-c", "cat \"$0\"; stat -c '%a %Y' \"$0\"", victim]).output
        for kind in ["restore", "backup"] { try run(["sh", "-c", "\(command) lock/demo-\(kind)-1.lock"], in: bench.folder.path) }
        let outcome = try restore(bench)
        #expect(outcome.status == 50, "\(outcome)")
        #expect(outcome.text.contains("demo-restore-1.lock"), "\(outcome)")
        #expect(try run(["ls", "-A", bench.data]).output == "")
        // Those that only look do not mind.
        #expect(try bench.attempt("info").status == 0)
        #expect(try bench.attempt("--output=json", "info").status == 0)
        #expect(try bench.attempt("--force", "stop").status == 0)
        #expect(try bench.attempt("start").status == 0)
        #expect(try run(["sh", "-c", "cat \"$0\"; stat -c '%a %Y' \"$0\"", victim]).output == before)
        #expect(
            try run(["sh", "-c", "ls lock; rm -r lock/demo-*"], in: bench.folder.path).output == "demo-backup-1.lock\ndemo-restore-1.lock\n"
        )
        #expect(try restore(bench).status == 0)
    }

    @Test func stopFileIsALink() throws {
        let bench = try bench()
        try run(["ln", "-s", "../victim.txt", bench.folder.path("lock/demo.stop")])
        let outcome = try bench.attempt("stop")
        #expect(outcome.status > 0 && outcome.status < 126, "\(outcome)")
        #expect(try attempt(["test", "-e", bench.folder.path("victim.txt")]).status == 1)
    }

    /// What stands for a running command: it holds the lock and its process id is in there.
    private func command(_ lock: String, _ bench: Workbench) throws -> Running {
        let file = bench.folder.path("lock/\(lock).lock")
        let holder = try Running(
            [
                "sh", "-c",
                "echo \"{\\\"execId\\\":\\\"1\\\",\\\"pid\\\":$$}\" >\"$0\"; exec flock \"$0\" sh -c 'touch \"$0\"; exec tail -f /dev/null' \"$1\"",
                file, "\(file).held",
            ])
        try eventually("\(lock) is locked") { FileManager.default.fileExists(atPath: "\(file).held") ? true : nil }
        return holder
    }

    /// Stanzas may have names that begin like others.
    @Test func stopOfOneStanza() throws {
        let bench = try bench()
        let ours = try ["demo-backup-1", "demo-archive-2", "demo-restore-1"].map { try command($0, bench) }
        let others = try ["demo-dr-backup-1", "demo-backup-1-backup-1", "demo2-restore-1", "a-demo-backup-1"].map { try command($0, bench) }
        try bench.run("--force", "stop")
        for holder in ours { #expect(try holder.wait().status == 128 + 15) }
        for holder in others { #expect(holder.poll() == nil) }
        #expect(try run(["ls", bench.folder.path("lock")]).output.contains("demo.stop\n"))
        #expect(try bench.attempt("--type=full", "backup").status == 62)
        // And of all.
        let all = try bench.attempt("--force", "stop", stanza: nil)
        #expect(all.status == 0, "\(all)")
        for holder in others { #expect(try holder.wait().status == 128 + 15) }
    }

    // MARK: What belongs to others

    /// A lock of another user, or a folder of theirs, keeps nobody from a backup. Locks go where only this user can write, and there they hold.
    @Test(.enabled(if: Account.isRoot), arguments: ["chmod 777 lock", "chown nobody lock; chmod 777 lock"])
    func ofOthers(_ script: String) throws {
        let (bench, _) = try Segments.workbench()
        try run(["sh", "-ec", script], in: bench.folder.path, asRoot: true)
        let file = bench.folder.path("lock/demo-backup-1.lock")
        let holder = try Running(
            [
                "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-c",
                "exec flock \"$0\" sh -c 'chmod 666 \"$0\"; touch \"$0.held\"; exec tail -f /dev/null' \"$0\"", file,
            ], asRoot: true)
        try eventually("the lock is held") { FileManager.default.fileExists(atPath: "\(file).held") ? true : nil }
        let outcome = try bench.attempt("--type=full", "--no-online", "backup")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.text.contains("user 'nobody'") && outcome.text.contains("lock-path"), "\(outcome)")
        // Their process is not ours to end either, whatever is written in their file.
        #expect(try bench.attempt("info").text.contains("status: ok"))

        let own = bench.folder.path("lock-\(try run(["id", "-u"]).output.dropLast())")
        let ours = try Running(
            ["sh", "-c", "exec flock \"$0/demo-backup-1.lock\" sh -c 'touch \"$0/held\"; exec tail -f /dev/null' \"$0\"", own])
        try eventually("our lock is held") { FileManager.default.fileExists(atPath: "\(own)/held") ? true : nil }
        let second = try bench.attempt("--type=full", "--no-online", "backup")
        #expect(second.status == 50 && second.text.contains(own), "\(second)")
        // And still when the other user has gone away.
        holder.signal(SIGKILL)
        try run(["sh", "-ec", "rm lock/demo-backup-1.lock; chown postgres lock"], in: bench.folder.path, asRoot: true)
        let third = try bench.attempt("--type=full", "--no-online", "backup")
        #expect(third.status == 50 && third.text.contains(own), "\(third)")
        withExtendedLifetime(ours) {}
    }

    /// `stop --force` as root ends no process that a file of somebody else names.
    @Test(.enabled(if: Account.isRoot)) func stopOfOthers() throws {
        let bench = try bench()
        try run(["chmod", "777", bench.folder.path("lock")])
        let victim = try Running(["tail", "-f", "/dev/null"])
        let file = bench.folder.path("lock/demo-backup-1.lock")
        let holder = try Running(
            [
                "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-c",
                "echo '{\"execId\":\"1\",\"pid\":\(victim.process)}' >\"$0\"; exec flock \"$0\" sh -c 'touch \"$0.held\"; exec tail -f /dev/null' \"$0\"",
                file,
            ], asRoot: true)
        try eventually("the lock is held") { FileManager.default.fileExists(atPath: "\(file).held") ? true : nil }
        let outcome = try attempt(bench.command(["--allow-root", "--force", "stop"]), in: bench.folder.path, asRoot: true)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(!outcome.text.contains("term signal") && victim.poll() == nil, "\(outcome)")
        withExtendedLifetime(holder) {}
    }
}
