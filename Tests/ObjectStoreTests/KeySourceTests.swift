// Where keys come from: every source with the real program, the real store behind a gate that lets in only who has keys that were given
// out and that have not expired, and services that misbehave.

import EndToEndSupport
import Foundation
import Testing

/// A way to get keys.
struct KeySource: Sendable, CustomTestStringConvertible {
    let type: String
    /// What gives the keys away: one request of it for each time that keys are fetched.
    let service: String
    var options: @Sendable (KeyServices) -> [(String, String)] = { _ in [] }
    var environment: @Sendable (KeyServices, TemporaryFolder) throws -> [String: String] = { _, _ in [:] }
    var testDescription: String { type }

    static let auto = KeySource(
        type: "auto", service: "metadata", environment: { services, _ in ["AWS_EC2_METADATA_SERVICE_ENDPOINT": services.origin] })
    static let webIdentity = KeySource(
        type: "web-id", service: "sts", options: { [("repo1-s3-sts-host", $0.origin)] },
        environment: { _, folder in
            [
                "AWS_ROLE_ARN": "arn:aws:iam::1:role/backups",
                "AWS_WEB_IDENTITY_TOKEN_FILE": try folder.write("web-token", "web-token-of-the-tests/+=\n"),
            ]
        })
    static let pod = KeySource(
        type: "pod-id", service: "pod",
        environment: { services, folder in
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(services.origin)/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": try folder.write("pod-token", "pod-token-of-the-tests\n"),
            ]
        })
    static let program = KeySource(
        type: "process", service: "process",
        options: { services in
            ["curl", "--silent", "--fail", "\(services.origin)/process"].map { ("repo1-s3-process-cmd", $0) }
        })

    /// The store's own keys, from the configuration: the gate lets such requests pass as they are, and the store judges them.
    static let shared = KeySource(
        type: "shared", service: "store",
        options: { _ in [("repo1-s3-key", ObjectStore.key), ("repo1-s3-key-secret", ObjectStore.secret)] })

    static let all = [auto, webIdentity, pod, program]
    /// Those that are asked over http by the program itself.
    static let services = [auto, webIdentity, pod]
}

/// A workbench whose repository lies behind the gate.
struct KeyBench {
    let services: KeyServices
    let bench: Workbench
    let source: KeySource
    var environment: [String: String]
    /// A WAL segment to push.
    let segment: String
    /// Replace what the configuration says.
    var options: [(String, String)] = [] {
        didSet { try! bench.configure(options) }
    }

    /// `stanza`: with a stanza.
    init(_ source: KeySource, _ state: String = "{}", stanza: Bool = false, options: [(String, String)] = []) throws {
        self.source = source
        services = try KeyServices()
        bench = try Workbench(
            on: services.repository([("repo1-s3-key-type", source.type)] + source.options(services) + options),
            options: ["log-level-console": "trace", "log-level-file": "trace", "log-level-stderr": "off"])
        environment = try source.environment(services, bench.folder)
        segment = try StoppedCluster.copy(to: bench)
        if stanza { try succeed("--no-online", "stanza-create") }
        try services.tell(state)
    }

    /// Whatever the program does, what is secret is nowhere to be seen.
    func attempt(_ arguments: String..., within seconds: Double = 60) throws -> Outcome { try attempt(arguments, within: seconds) }

    func attempt(_ arguments: [String], within seconds: Double = 60) throws -> Outcome {
        let outcome = try EndToEndSupport.attempt(
            bench.command(arguments), environment: environment, in: bench.folder.path, within: seconds)
        try expectNoSecrets(in: outcome.text, "the console")
        for file in try FileManager.default.contentsOfDirectory(atPath: bench.folder.path("log")) {
            try expectNoSecrets(in: String(contentsOfFile: bench.folder.path("log/\(file)"), encoding: .utf8), file)
        }
        return outcome
    }

    @discardableResult
    func succeed(_ arguments: String...) throws -> Outcome {
        let outcome = try attempt(arguments)
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        return outcome
    }

    func push() throws -> Outcome { try attempt("archive-push", "\(bench.data)/pg_wal/\(segment)") }

    func fetches() throws -> Int { try services.requests(source.service).count }
}

/// All that must stay between the program, the services and the store.
private let secrets = [
    "ISSUEDKEY", "issued/secret", "issued%2Fsecret", "issued/token", "issued%2Ftoken", "token-of-the-tests", ObjectStore.key,
    ObjectStore.secret,
]

func expectNoSecrets(in text: String, _ place: String) throws {
    for secret in secrets where text.contains(secret) {
        let line = text.split(separator: "\n").first { $0.contains(secret) } ?? ""
        Issue.record("\(place) shows '\(secret)': \(line)")
    }
}

@Suite struct KeySourceTests {
    @Test(arguments: KeySource.all) func work(_ source: KeySource) throws {
        let bench = try KeyBench(source, stanza: true)
        #expect(try bench.push().status == 0)
        // One fetch serves all requests of a run.
        #expect(try bench.fetches() == 1)
        #expect(try bench.services.requests("store").count > 1)
        #expect(try bench.services.requests("store").allSatisfy { $0.headers["x-amz-security-token"] == "issued/token+2==" })
        let info = try bench.attempt("--output=json", "--log-level-console=off", "info")
        #expect(info.status == 0 && info.output.contains("\"max\":\"\(bench.segment)\""))
    }

    @Test func keysWithoutToken() throws {
        let bench = try KeyBench(.program, stanza: true)
        try bench.services.tell(#"{"withToken": false}"#)
        #expect(try bench.push().status == 0)
        #expect(try bench.services.requests("store").allSatisfy { $0.headers["x-amz-security-token"] == nil })
    }

    /// Keys of the configuration, with the token that belongs to them.
    @Test func sharedKeysWithToken() throws {
        let bench = try KeyBench(.program)
        let keys = try JSONDecoder().decode(
            [String: String].self,
            from: Data(
                run(["curl", "-s", "\(bench.services.origin)/process"]).output.replacingOccurrences(of: "\"Version\": 1, ", with: "")
                    .replacingOccurrences(of: ", \"Version\": 1", with: "").utf8))
        try bench.bench.folder.write(
            "backup.conf",
            try String(contentsOfFile: bench.bench.configuration, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
                .filter { !$0.contains("s3-process-cmd") }.joined(separator: "\n")
                .replacingOccurrences(
                    of: "repo1-s3-key-type=process",
                    with: """
                        repo1-s3-key-type=shared
                        repo1-s3-key=\(keys["AccessKeyId"]!)
                        repo1-s3-key-secret=\(keys["SecretAccessKey"]!)
                        repo1-s3-token=\(keys["SessionToken"]!)
                        """))
        try bench.succeed("--no-online", "stanza-create")
        #expect(try bench.push().status == 0)
        #expect(try bench.services.requests("store").allSatisfy { $0.headers["x-amz-security-token"] == keys["SessionToken"] })
    }

    // MARK: Keys that expire

    /// Services give out keys that are about to expire: those are used too, and not fetched anew for each request.
    @Test(arguments: KeySource.all) func shortLived(_ source: KeySource) throws {
        let bench = try KeyBench(source, stanza: true)
        try bench.services.tell(#"{"lifetime": 60}"#)
        #expect(try bench.push().status == 0)
        #expect(try bench.services.requests("store").count > 2)
        #expect(try bench.fetches() == 1)
    }

    /// Keys that run out during a command are replaced by new ones before a request fails.
    @Test(arguments: KeySource.all) func renewed(_ source: KeySource) throws {
        let bench = try KeyBench(source, stanza: true)
        // A store that takes its time, so that the command outlives its first keys.
        try bench.services.tell(
            #"{"lifetime": 3, "faults": [{"service": "store", "times": 5, "fault": "slow", "seconds": 2}]}"#)
        #expect(try bench.push().status == 0)
        #expect(try bench.fetches() > 1)
        #expect(try bench.services.requests("store").allSatisfy { $0.status != "400" })
    }

    /// The store may know better than the date that came with the keys.
    @Test func expiredBeforeTheirTime() throws {
        let bench = try KeyBench(.pod, stanza: true)
        try bench.services.tell(
            #"{"faults": [{"service": "store", "skip": 1, "fault": "status", "status": 400, "body": "\#(document("ExpiredToken"))"}]}"#)
        #expect(try bench.push().status == 0)
        #expect(try bench.fetches() == 2)
    }

    /// Keys of the configuration cannot be renewed: no use in trying for a minute.
    @Test func expiredKeysOfTheConfiguration() throws {
        let bench = try KeyBench(.pod)
        try bench.services.tell(
            #"{"faults": [{"service": "store", "times": 99, "fault": "status", "status": 400, "body": "\#(document("ExpiredToken"))"}]}"#)
        let shared = try Workbench(on: bench.services.repository([("repo1-s3-key", "ISSUEDKEY1"), ("repo1-s3-key-secret", "x")]))
        let outcome = try shared.attempt("--output=json", "info")
        #expect(outcome.output.contains("have expired") && outcome.output.contains("repo-s3-token"), "\(outcome)")
        #expect(outcome.seconds < 40)
        #expect(try bench.services.requests("store").count < 8)
    }

    // MARK: Services that misbehave

    /// Failures of a moment are bridged.
    @Test(arguments: KeySource.services, ["503", "hang-up"]) func awayForAMoment(_ source: KeySource, _ fault: String) throws {
        let bench = try KeyBench(source)
        let kind = fault == "hang-up" ? #""fault": "hang-up""# : #""fault": "status", "status": \#(fault)"#
        try bench.services.tell(#"{"faults": [{"service": "\#(source.service)", "times": 2, \#(kind)}]}"#)
        try bench.succeed("info")
        #expect(try bench.fetches() == 3)
    }

    /// Old keys go on being used when new ones are not to be had; without a wait at every request.
    @Test func awayWhileKeysAreGood() throws {
        let bench = try KeyBench(.pod, stanza: true)
        try bench.services.tell(
            #"""
            {"lifetime": 5, "faults": [
                {"service": "pod", "skip": 1, "times": 99, "fault": "status", "status": 403},
                {"service": "store", "times": 2, "fault": "slow", "seconds": 3}]}
            """#)
        let outcome = try bench.push()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.text.contains("the keys at hand are used"))
    }

    /// What a service refuses is an error of its own: never "there is no such file", which would be the end of a recovery, or of a backup.
    @Test(arguments: KeySource.services, [403, 404, 412]) func refused(_ source: KeySource, _ status: Int) throws {
        let bench = try KeyBench(source, stanza: true)
        try bench.services.tell(
            #"{"faults": [{"service": "\#(source.service)", "times": 99, "fault": "status", "status": \#(status)}]}"#)
        for command in [
            ["--archive-timeout=1", "archive-get", bench.segment, bench.bench.folder.path("got")], ["--no-online", "stanza-create"],
        ] {
            let outcome = try bench.attempt(command)
            #expect(outcome.status > 1, "\(outcome)")
            #expect(
                outcome.text.contains("unable to get the keys of the store from") && outcome.text.contains("HTTP \(status)"), "\(outcome)")
            #expect(outcome.seconds < 40)
        }
        let info = try bench.attempt("info")
        #expect(info.text.contains("HTTP \(status)"), "\(info)")
    }

    @Test(
        arguments: KeySource.services,
        ["", "<html>log in</html>", "{\\\"AccessKeyId\\\": \\\"ISSUEDKEY\\\"", "<A><AssumeRoleWithWebIdentityResult/></A>"])
    func garbage(_ source: KeySource, _ body: String) throws {
        let bench = try KeyBench(source)
        try bench.services.tell(
            #"{"faults": [{"service": "\#(source.service)", "times": 99, "fault": "status", "status": 200, "body": "\#(body)"}]}"#)
        let outcome = try bench.attempt("info")
        #expect(outcome.text.contains("unable to get the keys of the store from"), "\(outcome)")
        #expect(outcome.seconds < 40)
    }

    /// A service that repeats the token in its answer must not make the program show it.
    @Test(arguments: [KeySource.webIdentity, .pod]) func tokenThatIsRefused(_ source: KeySource) throws {
        let bench = try KeyBench(source, #"{"webToken": "another", "podToken": "another"}"#)
        let outcome = try bench.attempt("info")
        #expect(outcome.text.contains("unable to get the keys of the store from"), "\(outcome)")
    }

    /// A header cannot hold what is in the file.
    @Test func tokenOfTwoLines() throws {
        let bench = try KeyBench(.pod)
        try bench.bench.folder.write("pod-token", "pod-token-of-the-tests\r\nX-More: yes")
        let outcome = try bench.attempt("info")
        #expect(outcome.text.contains("pod-token'"), "\(outcome)")
        #expect(try bench.fetches() == 0)
    }

    /// Nor what comes from a service.
    @Test func keysOfTwoLines() throws {
        let bench = try KeyBench(.pod)
        try bench.services.tell(
            #"""
            {"faults": [{"service": "pod", "times": 99, "fault": "status", "status": 200,
              "body": "{\"AccessKeyId\": \"ISSUEDKEY1\", \"SecretAccessKey\": \"issued/secret+1\", \"Token\": \"a\\r\\nX-More: yes\"}"}]}
            """#)
        let outcome = try bench.attempt("info")
        #expect(outcome.text.contains("unable to get the keys"), "\(outcome)")
        #expect(try bench.services.requests("store").isEmpty)
    }

    /// The services are on this host or next to it; a proxy is for the way out.
    @Test(arguments: [KeySource.auto, .pod]) func noProxy(_ source: KeySource) throws {
        var bench = try KeyBench(source)
        bench.environment["http_proxy"] = "http://127.0.0.1:1"
        bench.environment["no_proxy"] = "example.com"
        _ = try bench.attempt("info")
        #expect(try bench.fetches() == 1)
    }

    // MARK: The instance

    @Test func instanceWithoutRole() throws {
        let bench = try KeyBench(.auto, #"{"role": null}"#)
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == 41, "\(outcome)")
        #expect(outcome.text.contains("the instance has no role") && outcome.text.contains("HINT"), "\(outcome)")
    }

    /// The role is named: nobody asks which there are.
    @Test func instanceWithNamedRole() throws {
        let bench = try KeyBench(.auto)
        try bench.bench.configure(["repo1-s3-role": "backups"])
        try bench.succeed("info")
        #expect(try bench.fetches() == 1)
        try bench.bench.configure(["repo1-s3-role": "others"])
        let outcome = try bench.attempt("info")
        #expect(outcome.text.contains("'others'"), "\(outcome)")
    }

    /// It answers with success and tells of a failure.
    @Test func instanceThatMayNotUseItsRole() throws {
        let bench = try KeyBench(.auto)
        try bench.services.tell(
            #"""
            {"faults": [{"service": "metadata", "times": 99, "fault": "status", "status": 200,
              "body": "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"EC2 cannot assume the role backups.\"}"}]}
            """#)
        let outcome = try bench.attempt("info")
        #expect(outcome.text.contains("AssumeRoleUnauthorizedAccess"), "\(outcome)")
    }

    // MARK: The surroundings

    @Test(
        arguments: [
            (KeySource.webIdentity, "AWS_ROLE_ARN"), (.webIdentity, "AWS_WEB_IDENTITY_TOKEN_FILE"),
            (.pod, "AWS_CONTAINER_CREDENTIALS_FULL_URI"), (.pod, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        ]) func missingVariable(_ source: KeySource, _ variable: String) throws
    {
        var bench = try KeyBench(source)
        for value in [nil, ""] {
            bench.environment[variable] = value
            let outcome = try bench.attempt("--no-online", "stanza-create")
            #expect(outcome.status == 31 && outcome.text.contains("'\(variable)'"), "\(outcome)")
            let info = try bench.attempt("info")
            #expect(info.status == 0 && info.text.contains("'\(variable)'"), "\(info)")
        }
    }

    @Test(arguments: [(KeySource.webIdentity, "web-token"), (.pod, "pod-token")])
    func missingTokenFile(_ source: KeySource, _ file: String) throws {
        let bench = try KeyBench(source, stanza: true)
        try run(["rm", bench.bench.folder.path(file)])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == 41 && outcome.text.contains("/\(file)'"), "\(outcome)")
    }

    private func document(_ code: String) -> String { "<Error><Code>\(code)</Code><Message>no</Message></Error>" }
}
