import EndToEndSupport
import Foundation
import Testing

/// Repositories on another host, reached through ssh.
@Suite(.servers) struct SecureShellTests {
    /// The client of ssh dies in the middle of a backup: an error, nothing half-written is listed, and the next backup is whole.
    @Test(arguments: 1...4, [RepositoryKind.ssh, .pulled])
    func clientIsKilled(_ round: Int, _ kind: RepositoryKind) throws {
        let bench = try Workbench(Format(.lz4), on: kind, options: ["job-retry": "0"])
        let cluster = try bench.clusterWithBackup()
        let client = try #require(SecureShell.shared.get().options.first { $0.0 == "cmd-ssh" }?.1)
        // One that tells its number, so that it is the one that is killed.
        let marked = try bench.folder.writeProgram(
            "ssh", "#!/bin/sh\necho $$ >>'\(bench.folder.path("clients"))'\nexec '\(client)' \"$@\"\n")
        try bench.configure(["cmd-ssh": marked])
        let backup = try bench.launch("--type=full", "backup")
        let clients = bench.folder.path("clients")
        var random = Seeded(UInt64(round))
        let minimum = Int.random(in: 1...3, using: &random)
        try eventually("\(minimum) clients run") {
            let text = (try? String(contentsOfFile: clients, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").count >= minimum || backup.poll() != nil ? true : nil
        }
        pause(Double.random(in: 0...0.3, using: &random))
        for number in try String(contentsOfFile: clients, encoding: .utf8).split(separator: "\n") {
            _ = try attempt(["kill", "-9", String(number)])
        }
        let outcome = try backup.wait()
        #expect(outcome.status < 126, "\(outcome)")
        #expect(try bench.labels().count == (outcome.status == 0 ? 2 : 1))
        let again = try bench.attempt("--type=full", "backup")
        #expect(again.status == 0, "\(again)")
        try bench.bringBack(cluster)
    }

    /// The line for authorized_keys that the user guide shows: one stanza, one folder, and nothing is removed.
    @Test func forcedCommand() throws {
        let bench = try Workbench(Format(.lz4), on: .ssh)
        let server = try SecureShell.shared.get()
        let cluster = try bench.clusterWithBackup()
        defer { withExtendedLifetime(cluster) {} }
        let locks = try bench.folder.makeDirectory("far-lock")
        let command = "\(Tool.underTest.path) serve --lock-path=\(locks) --repo1-path=\(bench.repository) --stanza=demo --access=read"
        try bench.configure(["cmd-ssh": try server.client(forcedTo: command)])
        #expect(try bench.labels().count == 1)
        let refused = try bench.attempt("--type=full", "--no-archive-check", "backup")
        #expect(refused.status > 1 && refused.text.contains("not allowed here"), "\(refused)")
        let elsewhere = try Workbench(Format(.lz4), on: .ssh)
        try elsewhere.configure(["cmd-ssh": try server.client(forcedTo: command)])
        let other = try Cluster.make(.version(15), in: elsewhere.folder, name: "data")
        defer { withExtendedLifetime(other) {} }
        let denied = try elsewhere.attempt("--no-online", "stanza-create")
        #expect(denied.status > 1 && denied.text.contains("is not served here"), "\(denied)")
    }

    @Test(arguments: [
        ("repo1-host-port", "1", 49, "ssh -p 1"), ("repo1-host-cmd", "/no/such/program", 49, "/no/such/program"),
        ("repo1-host-user", "nobody-here", 49, "nobody-here@127.0.0.1"), ("cmd-ssh", "/no/such/ssh", 102, "/no/such/ssh"),
    ])
    func notReached(_ option: String, _ value: String, _ status: Int32, _ text: String) throws {
        let bench = try Workbench(Format(.lz4), on: .ssh)
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        defer { withExtendedLifetime(cluster) {} }
        try bench.configure([(option, value)])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == status && outcome.text.contains(text), "\(outcome)")
    }

    /// What else a login prints is shown as text, with what can be done about it: a start-up file that greets, an account that is locked.
    @Test(arguments: [
        ("echo 'Welcome to db1!'; exec \"$client\" \"$@\"", "printed 'Welcome to db1!' where a frame belongs"),
        (
            "echo 'This account is currently not available.'; exit 1",
            "printed 'This account is currently not available.' where a frame belongs"
        ),
    ])
    func noise(_ script: String, _ text: String) throws {
        let bench = try Workbench(Format(.lz4), on: .ssh)
        let client = try #require(SecureShell.shared.get().options.first { $0.0 == "cmd-ssh" }?.1)
        let noisy = try bench.folder.writeProgram("ssh", "#!/bin/sh\nclient='\(client)'\n\(script)\n")
        try bench.configure(["cmd-ssh": noisy])
        let outcome = try bench.attempt("info")
        #expect(
            outcome.text.contains(text) && outcome.text.contains("start-up file") && outcome.text.contains("must print nothing"),
            "\(outcome)")
    }

    /// The far host's own configuration says where its repository is and how it is encrypted.
    @Test(arguments: ["", "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=only known there\n"])
    func configuredThere(_ encryption: String) throws {
        let bench = try Workbench(Format(.lz4), on: .ssh)
        let far = try bench.folder.makeDirectory("far", mode: "750")
        let locks = try bench.folder.makeDirectory("far-lock")
        let configuration = try bench.folder.write("far.conf", "[global]\nrepo1-path=\(far)\nlock-path=\(locks)\n\(encryption)")
        let kind = RepositoryKind.ssh.with(["repo1-host-config": configuration], without: ["repo1-type", "repo1-path"])
        let near = try Workbench(Format(.lz4), on: kind)
        let cluster = try near.clusterWithBackup()
        #expect(try run(["ls", far]).output == "archive\nbackup\n")
        #expect(try near.info().cipher == (encryption.isEmpty ? "none" : "aes-256-cbc"))
        #expect(
            try run(["head", "-c", "8", "\(far)/backup/demo/backup.info"]).output
                == (encryption.isEmpty ? "[backrest" : "Salted__").prefix(8))
        #expect(try run(["readlink", "\(far)/backup/demo/latest"]).output == near.labels().last! + "\n")
        try near.bringBack(cluster)
    }

    /// `stop` on the host of the repository ends what other hosts write there, and nothing else.
    @Test func stoppedThere() throws {
        let bench = try Workbench(Format(.lz4), on: .ssh)
        let locks = try bench.folder.makeDirectory("far-lock")
        let there = try bench.folder.write("far.conf", "[global]\nlock-path=\(locks)\nlog-level-file=off\n")
        try bench.configure(["repo1-host-config": there])
        let cluster = try bench.clusterWithBackup()
        defer { withExtendedLifetime(cluster) {} }
        let stop = [Tool.underTest.path, "--config=\(there)", "--stanza=demo"]
        try run(stop + ["stop"])
        let refused = try bench.attempt("--type=full", "--no-archive-check", "backup")
        #expect(refused.status == 62 && refused.text.contains("stop file exists for stanza demo"), "\(refused)")
        #expect(try bench.labels().count == 1)
        try run(stop + ["start"])
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 2)
    }

    /// A host that may only add: it archives and backs up, and removes and reads nothing.
    @Test func mayOnlyAdd() throws {
        let bench = try Workbench(Format(.lz4), on: .ssh)
        let server = try SecureShell.shared.get()
        let cluster = try bench.cluster()
        defer { withExtendedLifetime(cluster) {} }
        let locks = try bench.folder.makeDirectory("far-lock")
        let command = "\(Tool.underTest.path) serve --lock-path=\(locks) --repo1-path=\(bench.repository) --stanza=demo --access=write"
        try bench.configure(["cmd-ssh": try server.client(forcedTo: command)])
        try bench.run("stanza-create")
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 1)
        // What a killed backup left stays where it is, and does not keep the next one from being made.
        try run(["mkdir", "-p", "\(bench.repository)/backup/demo/20200101-000000F/pg_data"])
        try run(["touch", "\(bench.repository)/backup/demo/20200101-000000F/pg_data/x"])
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 2)
        let restore = try bench.attempt("--pg1-path=\(bench.folder.path("other"))", "restore")
        #expect(restore.status > 1 && restore.text.contains("not allowed here: read"), "\(restore)")
    }
}
