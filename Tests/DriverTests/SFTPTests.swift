import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// Who is let in, who is trusted, and what happens when a server goes away.
@Suite(.servers) struct SFTPTests {
    private static let server = Result { try SecureShell(hostKeys: ["ed25519", "ecdsa", "rsa"]) }

    /// The server's line of a known-hosts file.
    private func line(_ server: SecureShell, _ type: String) throws -> String {
        "[127.0.0.1]:\(server.port) " + (try String(contentsOfFile: server.folder.path("host-\(type).key.pub"), encoding: .utf8))
    }

    private func fingerprint(_ server: SecureShell, _ type: String, _ hash: String) throws -> String {
        let key = server.folder.path("host-\(type).key.pub")
        return String(try run(["sh", "-c", "cut -d' ' -f2 '\(key)' | base64 -d | \(hash)sum"]).output.split(separator: " ")[0])
    }

    /// The storage works: something is put and read.
    private func expectUsable(_ storage: any Storage) async throws {
        try await storage.put(Key("a/b"), bytes: [1, 2, 3])
        #expect(try await storage.read(Key("a/b")) == [1, 2, 3])
    }

    private func failure(_ body: () async throws -> Void) async throws -> BackupError {
        do {
            try await body()
        } catch let error as BackupError {
            return error
        }
        throw Failure("nothing failed")
    }

    // MARK: The host

    @Test(arguments: ["strict", "accept-new"])
    func unknownHost(_ type: String) async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let file = folder.path("not/there/known")
        try FileManager.default.createDirectory(atPath: folder.path("not"), withIntermediateDirectories: false)
        let open = { (check: String) in
            try await openSFTP(
                server, folder.path, ["repo1-sftp-known-host": "\(file) /no/such/file", "repo1-sftp-host-key-check-type": check])
        }
        if type == "strict" {
            let error = try await failure { _ = try await open("strict") }
            #expect(
                error.code == .denied && error.message.contains("[127.0.0.1]:\(server.port)") && error.message.contains(file), "\(error)")
            #expect(error.hint?.contains("accept-new") == true && error.hint?.contains("not read: \(file)") == true, "\(error)")
            #expect(try error.hint?.contains(fingerprint(server, "ed25519", "sha256")) == true, "\(error)")
            #expect(!FileManager.default.fileExists(atPath: file))
        } else {
            try await expectUsable(try await open("accept-new"))
            let line = try line(server, "ed25519").split(separator: " ").prefix(3).joined(separator: " ")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == line.trimmingCharacters(in: .newlines) + "\n")
            try await expectUsable(try await open("strict"))
            try await expectUsable(try await open("accept-new"))
            #expect(try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: ["strict", "accept-new"], ["another key", "a key of another type", "a revoked key"])
    func otherKey(_ check: String, _ what: String) async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        // Of a type that the server has, and of one that it lets us not see.
        let other = folder.path("other")
        try run(["ssh-keygen", "-q", "-t", what == "a key of another type" ? "dsa" : "ed25519", "-N", "", "-f", other])
        let name = "[127.0.0.1]:\(server.port) "
        let text =
            what == "a revoked key"
            ? "# a comment\n\n@revoked " + (try line(server, "ed25519"))
            : name + (try String(contentsOfFile: other + ".pub", encoding: .utf8))
        let file = try folder.write("known", text)
        let error = try await failure {
            _ = try await openSFTP(
                server, folder.path, ["repo1-sftp-known-host": file, "repo1-sftp-host-key-check-type": check])
        }
        #expect(error.code == .denied && error.message.contains("\(file):\(what == "a revoked key" ? 3 : 1)"), "\(error)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    }

    /// The host has several keys and is known by one of them, in the ways that ssh writes that.
    @Test(arguments: ["ed25519", "ecdsa"], ["plain", "hashed", "pattern", "without a port", "second file"])
    func knownHost(_ type: String, _ form: String) async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let line = try line(server, type), key = line.split(separator: " ").dropFirst().joined(separator: " ")
        let text =
            switch form {
            case "pattern": "!192.*,[127.0.0.?]:* " + key
            case "without a port": "other,127.0.0.1 " + key
            default: line
            }
        let file = try folder.write(
            "known", (form == "hashed" ? "" : "@revoked * ssh-ed25519 AAAA\n[127.0.0.1]:1 ssh-ed25519 AAAA\nnonsense\n") + text)
        if form == "hashed" { try run(["ssh-keygen", "-q", "-H", "-f", file]) }
        #expect(try form != "hashed" || !String(contentsOfFile: file, encoding: .utf8).contains("127.0.0.1"))
        let files = form == "second file" ? folder.path("none") + " " + file : file
        try await expectUsable(try await openSFTP(server, folder.path, ["repo1-sftp-known-host": files]))
    }

    @Test(arguments: ["md5", "sha1", "sha256"], ["ed25519", "ecdsa"])
    func fingerprints(_ hash: String, _ type: String) async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let right = try fingerprint(server, type, hash)
        let open = { (text: String) in
            try await openSFTP(
                server, folder.path,
                [
                    "repo1-sftp-host-key-check-type": "fingerprint", "repo1-sftp-host-key-hash-type": hash,
                    "repo1-sftp-host-fingerprint": text,
                ], without: ["repo1-sftp-known-host"])
        }
        try await expectUsable(try await open(right))
        try await expectUsable(try await open(right.uppercased()))
        let wrong = String(right.reversed())
        let error = try await failure { _ = try await open(wrong) }
        #expect(error.code == .denied && error.message.contains("repo1-sftp-host-fingerprint") && error.cause == nil, "\(error)")
        let malformed = try await failure { _ = try await open(right + "0") }
        #expect(malformed.code == .optionInvalidValue && malformed.hint?.contains("\(hash)sum") == true, "\(malformed)")
    }

    /// A fingerprint that is configured is never ignored, as long as the host is judged at all.
    @Test func fingerprintAndKnownHost() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let wrong = String(try fingerprint(server, "ed25519", "sha256").reversed())
        let error = try await failure { _ = try await openSFTP(server, folder.path, ["repo1-sftp-host-fingerprint": wrong]) }
        #expect(error.code == .denied, "\(error)")
        let known = try folder.write("known", "")
        try await expectUsable(
            try await openSFTP(
                server, folder.path,
                [
                    "repo1-sftp-host-key-check-type": "none", "repo1-sftp-host-fingerprint": wrong, "repo1-sftp-known-host": known,
                ]))
    }

    // MARK: The user

    private static let phrase = "open, sesame"

    @Test(arguments: ["ed25519", "ecdsa"], ["openssh", "pem"])
    func protectedKey(_ type: String, _ form: String) async throws {
        guard type == "ecdsa" || form == "openssh" else { return }
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let key = folder.path("key")
        try run(["ssh-keygen", "-q", "-t", type] + (form == "pem" ? ["-m", "pem"] : []) + ["-N", Self.phrase, "-f", key])
        try server.letIn(key + ".pub")
        let open = { (phrase: String?) in
            var options: KeyValuePairs = ["repo1-sftp-private-key-file": key]
            if let phrase { options = ["repo1-sftp-private-key-file": key, "repo1-sftp-private-key-passphrase": phrase] }
            return try await openSFTP(server, folder.path, options)
        }
        try await expectUsable(try await open(Self.phrase))
        for phrase in [nil, "another phrase"] {
            let error = try await failure { _ = try await open(phrase) }
            #expect(error.code == .denied && error.message.contains(key), "\(error)")
            #expect(error.description.contains("repo1-sftp-private-key-passphrase"), "\(error)")
            if let phrase { #expect(!error.description.contains(phrase)) }
        }
    }

    @Test func rsaKey() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let key = folder.path("key")
        try run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", key])
        try server.letIn(key + ".pub")
        do {
            try await expectUsable(
                try await openSFTP(
                    server, folder.path, ["repo1-sftp-private-key-file": key]))
        } catch let error as BackupError {
            // libssh2 before 1.11.
            #expect(error.code == .denied && error.hint?.contains("ed25519") == true, "\(error)")
        }
    }

    @Test(arguments: [
        ("private-key-file", "/no/such/key"), ("public-key-file", "/no/such/key"), ("private-key-file", "/etc/passwd"),
        ("host-user", "nobody-here"),
    ])
    func notLetIn(_ option: String, _ value: String) async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let name = "repo1-sftp-\(option)"
        let error = try await failure { _ = try await openSFTP(server, folder.path, [name: value]) }
        #expect(error.description.contains(value) && error.description.contains(name), "\(error)")
        #expect(error.code == (value == "/no/such/key" ? .fileOpen : .denied), "\(error)")
    }

    @Test func keyOfSomebodyElse() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let key = folder.path("key")
        try run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
        let error = try await failure {
            _ = try await openSFTP(
                server, folder.path, ["repo1-sftp-private-key-file": key])
        }
        #expect(error.code == .denied && error.message.contains(key) && error.message.contains("'\(Account.name)'"), "\(error)")
    }

    @Test func noSubsystem() async throws {
        let server = try SecureShell(settings: []), folder = try TemporaryFolder()
        let error = try await failure { _ = try await openSFTP(server, folder.path) }
        #expect(error.code == .denied && error.hint?.contains("Subsystem") == true, "\(error)")
    }

    // MARK: The network

    private func openPort(_ port: Int, _ folder: TemporaryFolder, timeout: Int = 30_000) async throws -> any Storage {
        try await openSFTP(
            Self.server.get(), folder.path,
            ["repo1-sftp-host-port": "\(port)", "io-timeout": "\(timeout)", "repo1-sftp-host-key-check-type": "none"])
    }

    @Test func nobodyThere() async throws {
        let folder = try TemporaryFolder()
        let error = try await failure { _ = try await openPort(1, folder) }
        #expect(error.code == .unavailable && error.message.contains("127.0.0.1:1"), "\(error)")
        let unknown = try await failure {
            _ = try await openSFTP(
                Self.server.get(), folder.path, ["repo1-sftp-host": "no-such-host.invalid"])
        }
        #expect(unknown.code == .unavailable && unknown.message.contains("no-such-host.invalid"), "\(unknown)")
    }

    /// Something accepts the connection and says nothing.
    @Test func silence() async throws {
        let folder = try TemporaryFolder(), silent = try Relay(to: nil)
        let begin = ContinuousClock.now
        let error = try await failure { _ = try await openPort(silent.port, folder, timeout: 300) }
        #expect(error.code == .unavailable && error.message.contains("127.0.0.1:\(silent.port)"), "\(error)")
        #expect(ContinuousClock.now - begin < .seconds(120))
    }

    /// A server that goes silent while it works for us costs a time-out.
    @Test func goesSilent() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder(), relay = try Relay(to: server.port)
        let storage = try await openPort(relay.port, folder, timeout: 1000)
        try await expectUsable(storage)
        var source = try await storage.open(Key("a/b"))
        relay.hold(true)
        let error = try await failure { _ = try await storage.stat(Key("a/b")) }
        #expect(error.code == .unavailable, "\(error)")
        relay.hold(false)
        #expect(try await source.readAll() == [1, 2, 3])
        try await expectUsable(storage)
    }

    /// In the middle of an object: nothing is seen of it, the old one stays, and the next try succeeds.
    @Test(arguments: [0, 1000, 40_000, 3_000_000, 7_900_000])
    func cutWhilePutting(_ count: Int) async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder(), relay = try Relay(to: server.port)
        let storage = try await openPort(relay.port, folder, timeout: 2000)
        let old = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) },
            new = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 8) }
        try await storage.put(Key("a/old"), bytes: old)
        for key in [Key("a/old"), Key("b/new")] {
            relay.cut(after: count)
            let error = try await failure { try await storage.put(key, bytes: new) }
            #expect(error.code == .unavailable, "\(error)")
            relay.cut(after: nil)
            #expect(try await storage.read(Key("a/old")) == old)
            #expect(try await storage.stat(Key("b/new")) == nil)
        }
        // A relay that lets nobody through keeps us from tidying up too.
        for folder in ["a", "b"] {
            let names = try await storage.list(Key(folder)).map(\.key.name)
            #expect(names.allSatisfy { $0 == "old" || $0.hasSuffix(".pgbackrest.tmp") }, "\(names)")
        }
        for key in [Key("a/old"), Key("b/new")] {
            try await storage.put(key, bytes: new)
            #expect(try await storage.read(key) == new)
        }
    }

    @Test func cutWhileReading() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder(), relay = try Relay(to: server.port)
        let storage = try await openPort(relay.port, folder)
        let bytes = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 8) }
        try await storage.put(Key("object"), bytes: bytes)
        var source = try await storage.open(Key("object"))
        var block = Block(capacity: 100_000)
        _ = try await block.fill(from: &source)
        relay.cut()
        var failed: BackupError?
        do throws(BackupError) { try await source.drain(&block) } catch { failed = error }
        #expect(failed?.code == .unavailable)
        #expect(try await storage.read(Key("object")) == bytes)
    }

    /// What ended kept connections is not noticed by who asks next.
    @Test func serverIsRestarted() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder(), relay = try Relay(to: server.port)
        let storage = try await openPort(relay.port, folder)
        try await expectUsable(storage)
        let before = relay.connections
        #expect(before == 1)
        for round in 1...5 {
            relay.cut()
            switch round {
            case 1: #expect(try await storage.read(Key("a/b")) == [1, 2, 3])
            case 2: #expect(try await storage.stat(Key("a/b"))?.size == 3)
            case 3: #expect(try await storage.list(Key("a")).count == 1)
            case 4: try await storage.put(Key("a/c"), bytes: [4])
            default: try await storage.remove(Key("a/b"))
            }
        }
        #expect(relay.connections == before + 5)
    }

    /// One connection serves all requests that come one after the other, whatever became of those before.
    @Test func connectionIsKept() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder(), relay = try Relay(to: server.port)
        let storage = try await openPort(relay.port, folder)
        for round in 0..<3 {
            for number in 0..<20 { try await storage.put(Key("a/\(number)"), bytes: [UInt8](repeating: 1, count: number * 10_000)) }
            #expect(try await storage.list(Key("a"), .all).count == 20)
            #expect(try await storage.stat(Key("a/none")) == nil)
            _ = try await failure { _ = try await storage.read(Key("a/none")) }
            // Not read to its end.
            var block = Block(capacity: 1000)
            var source = try await storage.open(Key("a/19"))
            _ = try await block.fill(from: &source)
            try await storage.put(Key("b"), bytes: [1])
            try await abandon(source)
            try await storage.remove((0..<20).map { Key("a/\($0)") })
            try await storage.sync(.root)
            #expect(relay.connections == 2, "after round \(round)")
        }
    }

    private func abandon(_ source: consuming any ByteSource & ~Copyable) async throws {}

    /// As the program tells it.
    @Test(arguments: [
        ("host-port", "1", 49, "127.0.0.1:1"), ("host-user", "nobody-here", 41, "nobody-here"), ("known-host", "/none", 41, "accept-new"),
        ("host-key-check-type", "fingerprint", 37, "repo1-sftp-host-fingerprint"), ("private-key-file", "/none", 41, "/none"),
        ("host-fingerprint", "abcd", 32, "sha256sum"),
    ])
    func program(_ option: String, _ value: String, _ status: Int32, _ text: String) throws {
        let bench = try Workbench(Format(.lz4), on: .sftp)
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        defer { withExtendedLifetime(cluster) {} }
        try bench.configure([("repo1-sftp-\(option)", value)])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == status && outcome.text.contains(text), "\(outcome)")
    }

    // MARK: Files

    @Test func modes() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let storage = try await openSFTP(server, folder.path("repository"))
        try await expectUsable(storage)
        let modes = try run(["find", folder.path("repository"), "-printf", "%m %P\n"]).output.split(separator: "\n").sorted()
        #expect(modes == ["640 a/b", "750 ", "750 a"])
        try await storage.remove(Key("a/b"))
        #expect(try run(["find", folder.path("repository"), "-printf", "%m %P\n"]).output == "750 \n")
    }

    /// What a killed process left under the usual temporary name goes with the next put, unless somebody may still be writing it.
    @Test(arguments: [true, false])
    func leftover(_ isOld: Bool) async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let storage = try await openSFTP(server, folder.path)
        try await expectUsable(storage)
        let file = try folder.write("a/b.sftp.pgbackrest.tmp", "half")
        if isOld { try run(["touch", "-d", "2 hours ago", file]) }
        try await expectUsable(storage)
        #expect(try await storage.list(Key("a")).map(\.key.name) == (isOld ? ["b"] : ["b", "b.sftp.pgbackrest.tmp"]))
    }

    @Test func refused() async throws {
        let server = try Self.server.get(), folder = try TemporaryFolder()
        let storage = try await openSFTP(server, folder.path)
        try await expectUsable(storage)
        try run(["chmod", "500", folder.path("a")])
        for error in [
            try await failure { try await storage.put(Key("a/c"), bytes: [1]) }, try await failure { try await storage.remove(Key("a/b")) },
        ] {
            #expect(error.message.contains("permission denied") && error.message.contains("\(folder.path)/a/"), "\(error)")
        }
        try run(["chmod", "000", folder.path("a")])
        #expect(try await failure { _ = try await storage.read(Key("a/b")) }.code == .denied)
        #expect(try await failure { _ = try await storage.stat(Key("a/b")) }.code == .denied)
        #expect(try await failure { _ = try await storage.list(Key("a")) }.code == .denied)
        try run(["chmod", "700", folder.path("a")])
        let error = try await failure { try await storage.put(Key("a/b/c"), bytes: [1]) }
        #expect(error.code == .pathCreate, "\(error)")
    }

    /// A server that cannot sync is one warning.
    @Test func warnings() async throws {
        let folder = try TemporaryFolder()
        for (kind, count) in [(SFTPServerKind.openSSH, 0), (.plain, 1)] {
            let log = Log()
            var settings = Log.Settings()
            settings.file = .warn
            settings.console = .off
            log.configure(settings)
            log.openFile(folder.path("\(kind).log"))
            let storage = try await openSFTP(kind.server, folder.path(kind.rawValue), log: log)
            for number in 0..<3 { try await storage.put(Key("\(number)"), bytes: [1]) }
            let lines = try String(contentsOfFile: folder.path("\(kind).log"), encoding: .utf8).split(separator: "\n").dropFirst()
            #expect(lines.count == count && lines.allSatisfy { $0.contains("disk") }, "\(lines)")
        }
    }
}
