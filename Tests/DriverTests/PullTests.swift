import EndToEndSupport
import Foundation
import Testing

/// Backups that the repository's host makes of a cluster on another host.
@Suite(.servers) struct PullTests {
    /// Gives the repository's host a key that starts this on the cluster's, whatever it asks for.
    private func restrict(_ bench: Workbench, to arguments: String) throws {
        let client = try SecureShell.shared.get().client(
            forcedTo: "\(Tool.underTest.path) serve --lock-path=\(bench.folder.path("lock")) \(arguments)")
        try run(["sed", "-i", "s|^cmd-ssh=.*|cmd-ssh=\(client)|", bench.folder.path("repository-host.conf")])
    }

    /// What the user guide shows for the host of the cluster: a client that may back up this one and nothing else.
    @Test func forcedCommand() throws {
        let bench = try Workbench(Format(.zst, .aes), on: .pulled)
        let cluster = try bench.clusterWithBackup()
        defer { withExtendedLifetime(cluster) {} }
        try restrict(bench, to: "--pg=1 --stanza=demo --pg1-path=\(bench.data) --pg1-socket-path=\(cluster.socket)")
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 2)
        try restrict(bench, to: "--pg=1 --stanza=demo --pg1-path=/elsewhere")
        let refused = try bench.attempt("--type=full", "backup")
        #expect(refused.status == 41 && refused.text.contains("is not served here"), "\(refused)")
    }

    /// The key of an encrypted repository stays on its host.
    @Test func keyStaysThere() throws {
        let bench = try Workbench(Format(.lz4, .aes), on: .pulled)
        let cluster = try bench.clusterWithBackup()
        defer { withExtendedLifetime(cluster) {} }
        let wire = bench.folder.path("wire")
        let client = try #require(SecureShell.shared.get().options.first { $0.0 == "cmd-ssh" }?.1)
        let tapped = try bench.folder.writeProgram(
            "ssh", "#!/bin/sh\necho \"$@\" >>'\(wire).$$'\ntee -a '\(wire).$$' | '\(client)' \"$@\"\n")
        try bench.configure(["cmd-ssh": tapped])
        try bench.run("--type=full", "backup")
        let said = try run(["sh", "-c", "cat '\(wire)'.*"]).output
        #expect(said.contains("pg_control") && !said.contains(Format.passphrase), "\(said.prefix(500))")
    }

    /// Two hosts that work on one stanza are kept apart by the locks of both.
    @Test(arguments: [RepositoryKind.pulled, .ssh], ["lock", "far-lock"])
    func locked(_ kind: RepositoryKind, _ folder: String) throws {
        let bench = try Workbench(Format(.lz4), on: kind)
        let cluster = try bench.clusterWithBackup()
        defer { withExtendedLifetime(cluster) {} }
        // The cluster's host archives while the repository's host backs up.
        let lock = "\(bench.folder.path(folder))/demo-backup-1.lock"
        let holder = try Running(["flock", lock, "sh", "-c", "touch '\(lock).held'; exec sleep 60"], in: bench.folder.path)
        defer { holder.signal(SIGTERM) }
        try eventually("the lock is held") { FileManager.default.fileExists(atPath: "\(lock).held") ? true : nil }
        let refused = try bench.attempt("--type=full", "backup")
        let isFar = (kind.description == "ssh") == (folder == "far-lock")
        #expect(refused.status == 50 && refused.text.contains("demo-backup-1.lock"), "\(refused)")
        #expect(refused.text.contains("on host") == isFar, "\(refused)")
        holder.signal(SIGTERM)
        _ = try holder.wait()
        try run(["rm", "-f", lock])
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 2)
    }

    /// A connection that ends in the middle of a file: nothing of it is kept, the next backup is whole, and so it is with another try.
    @Test(arguments: ["0", "2"])
    func cutOff(_ retries: String) throws {
        let bench = try Workbench(Format(.lz4), on: .pulled, options: ["job-retry": "\(retries)", "job-retry-interval": "0"])
        let cluster = try bench.clusterWithBackup()
        let client = try #require(SecureShell.shared.get().options.first { $0.0 == "cmd-ssh" }?.1)
        // The second connection, a worker's, gets so far and no further.
        let count = bench.folder.path("count")
        let cut = try bench.folder.writeProgram(
            "ssh",
            """
            #!/usr/bin/env python3
            import os, subprocess, sys
            with open('\(count)', 'a+') as file:
                file.write('x')
                file.flush()
                number = file.tell()
            if number != 2: os.execv('\(client)', ['\(client)'] + sys.argv[1:])
            child = subprocess.Popen(['\(client)'] + sys.argv[1:], stdout=subprocess.PIPE)
            rest = 700000
            while rest > 0:
                data = os.read(child.stdout.fileno(), min(rest, 65536))
                if not data: break
                rest -= len(data)
                while data: data = data[os.write(1, data):]

            """)
        try run(["sed", "-i", "s|^cmd-ssh=.*|cmd-ssh=\(cut)|", bench.folder.path("repository-host.conf")])
        let outcome = try bench.attempt("--type=full", "backup")
        #expect((outcome.status == 0) == (retries != "0"), "\(outcome)")
        #expect(outcome.text.contains("ended in"), "\(outcome)")
        #expect(try bench.labels().count == (retries == "0" ? 1 : 2))
        #expect(try run(["find", bench.repository, "-name", "*.tmp"]).output.isEmpty)
        try bench.run("--type=full", "backup")
        try bench.bringBack(cluster)
    }

    /// Without its session a backup cannot be finished: that is noticed at the next file, not after the last.
    @Test(arguments: [RepositoryKind.pulled, .posix])
    func sessionEnds(_ kind: RepositoryKind) throws {
        let bench = try Workbench(Format(.none), on: kind, options: ["process-max": "1"])
        let cluster = try bench.clusterWithBackup()
        let backup = try bench.launch("--type=full", "--log-level-console=detail", "backup")
        try eventually("files are copied") {
            try cluster.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgBackstop%'").contains(
                "t")
                ? true : nil
        }
        let outcome = try backup.wait()
        #expect(outcome.status == 56 || outcome.status == 57 || outcome.status == 49, "\(outcome)")
        #expect(try bench.labels().count == 1)
    }

    /// What its own host says of a cluster is not for others to change, and nothing else can be asked of its database.
    @Test(arguments: [
        (#"{"op":"query","sql":"select 1"}"#, "there is no query"), (#"{"op":"query","query":"copy"}"#, "there is no query"),
        (#"{"op":"query","query":"restorePoint"}"#, "there is no query"), (#"{"op":"open","key":"etc/passwd"}"#, "not allowed here"),
        (#"{"op":"list","prefix":"etc","depth":"all"}"#, "not allowed here"),
        (#"{"op":"remove","keys":["etc/passwd"]}"#, "not allowed here"),
        (#"{"op":"put","key":"x"}"#, "not allowed here"), (#"{"op":"mkdir","key":"x"}"#, "there is no request"),
        (#"{"op":"start","config":{}}"#, "was started already"), (#"{"op":"open","key":"x","steps":[{"codec":"none such"}]}"#, "none such"),
    ])
    func refusals(_ call: String, _ text: String) throws {
        let bench = try Workbench()
        let cluster = try bench.cluster()
        defer { withExtendedLifetime(cluster) {} }
        let told = #"{"op":"start","config":{"cluster":{"user":"nobody","socket":"/nowhere"}}}"#
        let outcome = try attempt(
            [
                try Drivers.copy("Tests/tools/converse", into: bench.folder), Tool.underTest.path, "--config=\(bench.configuration)",
                "--stanza=demo", "--pg=1", "serve", "--", #"{"op":"hello","proto":1}"#, told, #"{"op":"connect"}"#, call,
            ])
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.output.contains(text), "\(outcome)")
        #expect(outcome.output.contains("\"version\":1500") || !call.contains("query"), "\(outcome)")
    }

    /// `stop` on the cluster's host keeps others from reading it.
    @Test func stoppedThere() throws {
        let bench = try Workbench(Format(.lz4), on: .pulled)
        let cluster = try bench.clusterWithBackup()
        defer { withExtendedLifetime(cluster) {} }
        let there = [Tool.underTest.path, "--config=\(bench.configuration)", "--stanza=demo"]
        try run(there + ["stop"])
        let refused = try bench.attempt("--type=full", "backup")
        #expect(refused.status == 62 && refused.text.contains("stop file exists for stanza demo"), "\(refused)")
        try run(there + ["start"])
        try bench.run("--type=full", "backup")
    }

    /// A backup that is killed while its database has yet to answer leaves no lock on the cluster's host.
    @Test func killedWhileTheDatabaseThinks() throws {
        let bench = try Workbench(Format(.lz4), on: .pulled)
        let cluster = try bench.clusterWithBackup()
        let checkpointer = try cluster.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        try run(["kill", "-STOP", checkpointer.trimmingCharacters(in: .whitespacesAndNewlines)])
        defer { _ = try? attempt(["kill", "-CONT", checkpointer.trimmingCharacters(in: .whitespacesAndNewlines)]) }
        let backup = try bench.launch("--type=full", "backup")
        try eventually("the backup waits for a checkpoint") {
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_backup_start%' AND pid <> pg_backend_pid()"
            return try cluster.query(waiting).contains("1") ? true : nil
        }
        #expect(try attempt(["flock", "-n", bench.folder.path("lock/demo-backup-1.lock"), "true"]).status == 1)
        backup.signal(SIGKILL)
        _ = try backup.wait()
        try eventually("the lock is free") {
            try attempt(["flock", "-n", bench.folder.path("lock/demo-backup-1.lock"), "true"]).status == 0 ? true : nil
        }
        try run(["kill", "-CONT", checkpointer.trimmingCharacters(in: .whitespacesAndNewlines)])
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 2)
    }

    /// Commands for the other host say so, and a configuration that mixes both hosts is refused.
    @Test func wrongHost() throws {
        let bench = try Workbench(Format(.lz4), on: .pulled)
        let there = [Tool.underTest.path, "--config=\(bench.folder.path("repository-host.conf"))", "--stanza=demo"]
        for words in [["restore"], ["archive-push", "pg_wal/000000010000000000000001"], ["archive-get", "000000010000000000000001", "x"]] {
            let outcome = try attempt(there + words, in: bench.folder.path)
            #expect(
                outcome.status == (words[0] == "archive-get" ? 200 : 72) && outcome.text.contains("must be run on the host of the cluster"),
                "\(outcome)")
        }
        let both = try attempt(there + ["--repo1-host=127.0.0.1", "backup"])
        #expect(both.status == 27 && both.text.contains("pg1-host and repo1-host"), "\(both)")
    }

    @Test(arguments: [
        ("pg1-host-port=1", 49, "ssh -p 1"), ("pg1-host-cmd=/no/such/program", 49, "/no/such/program"),
        ("pg1-host-user=nobody-here", 49, "nobody-here@127.0.0.1"), ("pg1-path=/no/such/data", 55, "/no/such/data"),
        ("pg1-socket-path=/no/such/socket", 56, "/no/such/socket"), ("pg1-user=nobody_here", 56, "nobody_here"),
    ])
    func notReached(_ line: String, _ status: Int32, _ text: String) throws {
        let bench = try Workbench(Format(.lz4), on: .pulled)
        let cluster = try bench.cluster()
        defer { withExtendedLifetime(cluster) {} }
        try bench.configure([:], stanza: [line])
        let outcome = try bench.attempt("stanza-create")
        #expect(outcome.status == status && outcome.text.contains(text), "\(outcome)")
    }

    /// A repository host with two cluster hosts, a primary and its standby: the primary is found wherever it is, and a host that is away
    /// is told of and not waited for.
    @Test func primaryAndStandby() throws {
        let bench = try Workbench(Format(.lz4), on: .pulled)
        let primary = try bench.clusterWithBackup()
        let standby = try bench.restore("standby", "--type=standby")
        try standby.start(["hot_standby=on", "archive_mode=off"])
        let server = try SecureShell.shared.get()
        // A configuration that knows nothing of clusters.
        let locks = bench.folder.path("lock")
        let configuration = try bench.folder.write("elsewhere.conf", "[global]\nlock-path=\(locks)\nlog-level-file=off\n")
        func host(_ number: Int, _ cluster: Cluster, cmd: String = Tool.underTest.path) -> [String] {
            ["path=\(cluster.data)", "socket-path=\(cluster.socket)", "user=postgres"].map { "pg\(number)-\($0)" }
                + server.clusterOptions.map { $0.replacing("pg1-", with: "pg\(number)-") }.filter { !$0.contains("host-cmd") }
                + ["pg\(number)-host-cmd=\(cmd)", "pg\(number)-host-config=\(configuration)"]
        }
        func configured(_ lines: [String]) throws -> String {
            let there = try String(contentsOfFile: bench.folder.path("repository-host.conf"), encoding: .utf8)
            let global = try #require(there.components(separatedBy: "[demo]").first)
            return try bench.folder.write("two.conf", global + "[demo]\n" + lines.joined(separator: "\n") + "\n")
        }
        func backup(_ lines: [String]) throws -> Outcome {
            try attempt(
                [Tool.underTest.path, "--config=\(configured(lines))", "--stanza=demo", "--type=full", "backup"], in: bench.folder.path)
        }
        for lines in [host(1, standby) + host(2, primary), host(1, primary) + host(4, standby)] {
            let outcome = try backup(lines)
            #expect(outcome.status == 0, "\(outcome)")
        }
        let away = try backup(host(1, standby, cmd: "/no/such/program") + host(2, primary))
        #expect(away.status == 0 && away.text.contains("unable to check pg1: [49]"), "\(away)")
        let none = try backup(host(1, standby) + host(2, primary, cmd: "/no/such/program"))
        #expect(none.status == 56 && none.text.contains("unable to find primary cluster"), "\(none)")
        let double = try backup(host(1, primary) + host(2, primary))
        #expect(double.status == 56 && double.text.contains("more than one primary"), "\(double)")
        #expect(try bench.labels().count == 4)
        let rows = try primary.fingerprint()
        try primary.archiveCurrentSegment()
        let restored = try bench.restore("again")
        try restored.start(["archive_mode=off"])
        try restored.waitForPromotion()
        #expect(try restored.fingerprint() == rows)
    }

    /// What is pulled need not stay on the host that pulls it.
    @Test(arguments: [RepositoryKind.s3, .ssh])
    func storedElsewhere(_ kind: RepositoryKind) throws {
        let bench = try Workbench(Format(.none, .aes), on: kind)
        let cluster = try bench.clusterWithBackup()
        try cluster.query("INSERT INTO item VALUES (0, 'pulled')")
        let server = try SecureShell.shared.get()
        let text = try String(contentsOfFile: bench.configuration, encoding: .utf8).replacing(
            "[global]\n", with: "[global]\ncmd-ssh=\(server.client)\n")
        // The order of lines does not matter, but one must not come twice.
        let lines = text.split(separator: "\n").reduce(into: [Substring]()) { if !$0.contains($1) { $0.append($1) } }
        let locks = bench.folder.path("lock"), own = try bench.folder.makeDirectory("pull-lock")
        let there = try bench.folder.write(
            "pull.conf",
            lines.joined(separator: "\n").replacing("lock-path=\(locks)\n", with: "lock-path=\(own)\n") + "\n"
                + (server.clusterOptions + ["pg1-host-config=\(bench.configuration)"]).joined(separator: "\n") + "\n")
        let outcome = try attempt(
            [Tool.underTest.path, "--config=\(there)", "--stanza=demo", "--type=full", "backup"], in: bench.folder.path)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.labels().count == 2)
        try bench.bringBack(cluster)
    }

    /// A repository host that serves two cluster hosts, each with its stanza.
    @Test func twoStanzas() throws {
        let bench = try Workbench(Format(.zst), on: .pulled)
        let first = try bench.clusterWithBackup()
        let other = try Cluster.make(.version(16), in: bench.folder, name: "other")
        let command = bench.command(["archive-push", "%p"], stanza: "other").joined(separator: " ")
        try other.configure(["archive_mode": "on", "archive_command": "'\(command)'"])
        try other.start()
        try other.query("CREATE TABLE other AS SELECT generate_series(1, 500) n")
        let server = try SecureShell.shared.get()
        let section = ["pg1-path=\(other.data)", "pg1-socket-path=\(other.socket)", "pg1-user=postgres"]
        for (name, lines) in [
            ("backup.conf", section),
            ("repository-host.conf", section + server.clusterOptions + ["pg1-host-config=\(bench.configuration)"]),
        ] {
            let text = try String(contentsOfFile: bench.folder.path(name), encoding: .utf8)
            try bench.folder.write(name, text + "\n[other]\n" + lines.joined(separator: "\n") + "\n")
        }
        for words in [["stanza-create"], ["check"], ["--type=full", "backup"]] {
            let outcome = try bench.attempt(words, stanza: "other")
            #expect(outcome.status == 0, "\(outcome)")
        }
        for (cluster, stanza) in [(first, "demo"), (other, "other")] {
            let rows = try cluster.fingerprint()
            try cluster.archiveCurrentSegment()
            let restored = try Cluster(cluster.installation, in: bench.folder, name: "restored-\(stanza)")
            try bench.folder.makeDirectory("restored-\(stanza)")
            let outcome = try bench.attempt(["--pg1-path=\(restored.data)", "restore"], stanza: stanza)
            #expect(outcome.status == 0, "\(outcome)")
            try restored.start(["archive_mode=off"])
            try restored.waitForPromotion()
            #expect(try restored.fingerprint() == rows)
        }
    }

    /// What a host of the cluster that lies or breaks tells is an error, never a backup.
    @Test(arguments: [
        "", #"{"taps":[]}"#, #"{"taps":[{"size":1},{"digest":"x"}]}"#, #"{"taps":[{"size":-1},{"digest":"0"}]}"#,
        #"{"taps":[{"size":9000000000},{"digest":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}"#,
        #"{"taps":[{"size":8192},{"digest":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}"#,
        #"{"taps":[{"size":8192},{"digest":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},{"aligned":true,"errors":[[0,4294967295]]}]}"#,
        #"{"taps":[{"size":8192},{"digest":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},{"aligned":true,"errors":[[0,0],[0,0]]}]}"#,
    ])
    func liar(_ end: String) throws {
        let bench = try Workbench(Format(.lz4), on: .pulled, options: ["job-retry": "0"])
        let cluster = try bench.clusterWithBackup()
        defer { withExtendedLifetime(cluster) {} }
        let client = try #require(SecureShell.shared.get().options.first { $0.0 == "cmd-ssh" }?.1)
        // Puts other words in place of what the taps found, of the same length in a frame.
        let liar = try bench.folder.writeProgram(
            "ssh",
            """
            #!/usr/bin/env python3
            import json, struct, subprocess, sys
            END = \(end.isEmpty ? "b'{}'" : "b'\(end)'")
            child = subprocess.Popen(['\(client)'] + sys.argv[1:], stdout=subprocess.PIPE)
            def exactly(count):
                data = b''
                while len(data) < count:
                    more = child.stdout.read(count - len(data))
                    if not more: sys.exit(child.wait())
                    data += more
                return data
            while True:
                kind = exactly(1)
                payload = exactly(struct.unpack('>I', exactly(4))[0])
                if kind == b'E' and b'taps' in payload: payload = END
                sys.stdout.buffer.write(kind + struct.pack('>I', len(payload)) + payload)
                sys.stdout.buffer.flush()

            """)
        try bench.configure(["cmd-ssh": liar])
        let outcome = try bench.attempt("--type=full", "backup")
        #expect(outcome.status == 39 && outcome.text.contains("the host of the cluster"), "\(outcome)")
        #expect(try bench.labels().count == 1)
    }
}
