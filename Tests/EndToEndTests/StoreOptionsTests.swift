import EndToEndSupport
import Foundation
import Testing

/// repo1-type=s3 with options that cannot work: the exit status, and a message that names what to mend.
@Suite(.servers)
struct StoreOptionsTests {
    /// A workbench whose repository is in the store, with some of its options changed or missing.
    private func bench(_ changes: [String: String] = [:], without missing: [String] = [], tls: Bool = false) throws -> Workbench {
        let bench = try Workbench(on: (tls ? RepositoryKind.s3TLS : .s3).with(changes, without: missing))
        try run(["cp", "-a", try Segments.source.get().folder.path("data"), bench.data])
        return bench
    }

    private func expect(_ outcome: Outcome, _ status: Int32, _ words: [String]) {
        #expect(outcome.status == status, "\(outcome)")
        #expect(outcome.text.contains("ERROR: [\(status < 100 ? "0" : "")\(status)]: "), "\(outcome)")
        for word in words { #expect(outcome.text.contains(word), "\(outcome)") }
        // Secrets stay out of what people paste elsewhere.
        #expect(!outcome.text.contains(ObjectStore.secret), "\(outcome)")
    }

    @Test(arguments: ["bucket", "endpoint", "region", "key", "key-secret"])
    func missing(_ name: String) throws {
        let bench = try bench(without: ["repo1-s3-\(name)"])
        for command in [["--no-online", "stanza-create"], ["archive-push", "\(bench.data)/pg_wal/\(try Segments.source.get().names[0])"]] {
            expect(try bench.attempt(command), 37, ["repo1-s3-\(name)"])
        }
    }

    struct Invalid: Sendable, CustomStringConvertible {
        let option: String, value: String
        var others: [String: String] = [:]
        var description: String { "\(option)=\(value)" }
    }

    @Test(arguments: [
        Invalid(option: "repo1-s3-endpoint", value: "http://"), Invalid(option: "repo1-s3-endpoint", value: "ftp://localhost"),
        Invalid(option: "repo1-s3-endpoint", value: "localhost:port"), Invalid(option: "repo1-s3-endpoint", value: "localhost:0"),
        Invalid(option: "repo1-s3-endpoint", value: "localhost:70000"), Invalid(option: "repo1-s3-endpoint", value: "localhost/path"),
        Invalid(option: "repo1-s3-endpoint", value: "user@localhost"), Invalid(option: "repo1-s3-endpoint", value: "two words"),
        Invalid(option: "repo1-s3-endpoint", value: "[::1"), Invalid(option: "repo1-s3-endpoint", value: "a:1:2"),
        Invalid(option: "repo1-s3-endpoint", value: "http://:8333"),
        Invalid(option: "repo1-storage-host", value: "http://"), Invalid(option: "repo1-storage-port", value: "0"),
        Invalid(option: "repo1-storage-port", value: "70000"), Invalid(option: "repo1-s3-uri-style", value: "slanted"),
        Invalid(option: "repo1-s3-key-type", value: "found"),
        // No certificate fits a host name with a bucket before it that has a dot.
        Invalid(
            option: "repo1-s3-bucket", value: "my.backups", others: ["repo1-s3-uri-style": "host", "repo1-s3-endpoint": "localhost"]),
    ])
    func invalid(_ example: Invalid) throws {
        let bench = try bench(example.others.merging([example.option: example.value]) { $1 })
        expect(try bench.attempt("--no-online", "stanza-create"), 32, ["'\(example.value)'", example.option])
    }

    /// Without TLS, or with the bucket in the path, a dot is no trouble.
    @Test func dottedBucket() throws {
        let store = try ObjectStore.shared.get()
        try store.makeBucket("my.backups")
        for tls in [false, true] {
            let bench = try bench(["repo1-s3-bucket": "my.backups"], tls: tls)
            try bench.run("--no-online", "stanza-create")
            #expect(try bench.info().status.code == 2)
        }
    }

    /// Every command that needs the store says why it cannot work, and `info` why it knows nothing.
    private func expectUnusable(_ bench: Workbench, _ status: Int32, _ words: [String]) throws {
        let name = try Segments.source.get().names[0]
        expect(try bench.attempt("--no-online", "stanza-create"), status, words)
        // Those of the archive ask every repository before they give up.
        for command in [["archive-push", "pg_wal/\(name)"], ["--archive-timeout=1", "archive-get", name, bench.folder.path("got")]] {
            let outcome = try bench.attempt(command, in: bench.data)
            #expect(command[0] == "archive-push" ? outcome.status > 1 && outcome.status < 126 : outcome.status == 200, "\(outcome)")
            for word in words { #expect(outcome.text.contains(word), "\(outcome)") }
        }
        #expect(try attempt(["test", "-e", bench.folder.path("got")]).status == 1)
        let info = try bench.attempt("info")
        #expect(info.status == 0, "\(info)")
        #expect(info.output.contains("status: error (other)"), "\(info)")
        #expect(try bench.info().status.code == 99)
        for word in words { #expect(info.text.contains(word), "\(info)") }
    }

    @Test(arguments: [false, true])
    func bucketDoesNotExist(_ tls: Bool) throws {
        let bench = try bench(["repo1-s3-bucket": "no-such-bucket"], tls: tls)
        try expectUnusable(bench, 49, ["no-such-bucket", "NoSuchBucket", "create the bucket", "repo1-s3-bucket"])
    }

    @Test func wrongSecret() throws {
        let bench = try bench(["repo1-s3-key-secret": "wrong/secret"])
        try expectUnusable(bench, 41, ["HTTP 403", "SignatureDoesNotMatch", "repo1-s3-key-secret"])
        #expect(try !bench.attempt("--no-online", "stanza-create").text.contains("wrong/secret"))
    }

    @Test func unknownKey() throws {
        let bench = try bench(["repo1-s3-key": "NOBODY"])
        try expectUnusable(bench, 41, ["HTTP 403", "InvalidAccessKeyId", "does the store know the key"])
    }

    /// The store's certificate is good, but nobody here knows who signed it.
    @Test func untrustedCertificate() throws {
        let bench = try bench(without: ["repo1-storage-ca-file"], tls: true)
        try expectUnusable(bench, 49, ["certificate", "repo1-storage-ca-file"])
        // Whoever insists gets it without.
        try bench.run("--no-repo1-storage-verify-tls", "--no-online", "stanza-create")
    }

    @Test func authorityFileIsMissing() throws {
        let bench = try bench(["repo1-storage-ca-file": "/nowhere/authority.crt"], tls: true)
        try expectUnusable(bench, 49, ["/nowhere/authority.crt"])
    }

    /// More likely a wrong address than a store that is away: it must not take a minute to say so.
    @Test(arguments: [false, true])
    func nothingListens(_ tls: Bool) throws {
        let port = try FreePorts.take(1)[0]
        let bench = try bench(
            tls ? ["repo1-storage-port": "\(port)"] : ["repo1-s3-endpoint": "http://127.0.0.1:\(port)"], tls: tls)
        for command in [["--no-online", "stanza-create"], ["archive-push", "\(bench.data)/pg_wal/\(try Segments.source.get().names[0])"]] {
            let outcome = try bench.attempt(command)
            #expect([49, 103].contains(outcome.status), "\(outcome)")
            #expect(outcome.seconds < 40, "\(outcome)")
            for word in ["127.0.0.1 port \(port)", "is the endpoint right"] { #expect(outcome.text.contains(word), "\(outcome)") }
        }
    }

    @Test func noSuchHost() throws {
        let bench = try bench(["repo1-s3-endpoint": "http://no-such-host.invalid"])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        expect(outcome, 49, ["no-such-host.invalid", "is the endpoint right"])
        #expect(outcome.seconds < 40, "\(outcome)")
    }

    /// http spoken to a port of https, and the other way round.
    @Test(arguments: [false, true])
    func wrongScheme(_ tls: Bool) throws {
        let store = try ObjectStore.shared.get()
        let bench = try bench(
            tls
                ? ["repo1-storage-port": "\(store.port)"]
                : ["repo1-s3-endpoint": "http://127.0.0.1:\(store.tlsPort)"], tls: tls)
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status > 1 && outcome.status < 126, "\(outcome)")
        #expect(outcome.seconds < 40, "\(outcome)")
    }

    /// An unreachable repository beside a good one: WAL is kept until both have it, and whoever needs data gets it from the good one.
    @Test func besideAGoodOne() throws {
        let source = try Segments.source.get()
        let good = try Workbench(on: .posix, and: .s3)
        try run(["cp", "-a", source.folder.path("data"), good.data])
        try good.run("--no-online", "stanza-create")
        for name in source.names.prefix(2) { #expect(try good.push(name).status == 0) }
        try good.run("--type=full", "--no-online", "--repo=1", "backup")
        let port = try FreePorts.take(1)[0]
        try good.configure(["repo2-s3-endpoint": "http://127.0.0.1:\(port)", "io-timeout": "1"])

        let text = try good.run("info").output
        #expect(text.contains("status: mixed") && text.contains("repo1: ok") && text.contains("repo2: error (other)"), "\(text)")
        let push = try good.push(source.names[2])
        #expect(push.status == 104, "\(push)")
        #expect(push.text.contains("repo2"), "\(push)")
        // The good one has it all the same.
        let got = try #require(try good.get(source.names[2]))
        #expect(try good.isSame(source.names[2], as: got))
        // What the good one lacks may be in the other: only who says which one counts hears that it is missing.
        let get = ["--archive-timeout=1", "archive-get", source.names[3], good.folder.path("got")]
        let missing = try good.attempt(get, in: good.data)
        #expect(missing.status == 200 && missing.text.contains("repo2: "), "\(missing)")
        #expect(try good.attempt(["--repo=1"] + get, in: good.data).status == 1)
        try good.configure()
        #expect(try good.push(source.names[2]).status == 0)
        _ = try good.restore("restored", "--type=none")
    }
}
