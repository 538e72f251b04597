// What the program says when the store refuses: which bucket, and what to do.

import EndToEndSupport
import Foundation
import Testing

struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var options: [(String, String)] = []
    /// What the services shall do, as JSON.
    var state = "{}"
    let status: Int32
    let texts: [String]

    static let denied = #"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"#

    static let all = [
        Refusal(
            testDescription: "no such bucket", options: [("repo1-s3-bucket", "no-such-bucket")], status: 49,
            texts: ["s3://no-such-bucket/", "NoSuchBucket", "HINT: create the bucket, or correct repo1-s3-bucket"]),
        Refusal(
            testDescription: "wrong secret", options: [("repo1-s3-key-secret", "another")], status: 41,
            texts: ["s3://backups/", "SignatureDoesNotMatch", "HINT", "repo1-s3-key-secret"]),
        Refusal(
            testDescription: "unknown key", options: [("repo1-s3-key", "ISSUEDKEY0")], status: 41,
            texts: ["s3://backups/", "InvalidAccessKeyId", "HINT", "repo1-s3-key"]),
        Refusal(
            testDescription: "no rights",
            state: #"{"faults": [{"service": "store", "times": 99, "fault": "status", "status": 403, "body": "\#(denied)"}]}"#, status: 41,
            texts: ["s3://backups/", "AccessDenied", "HINT: are the keys right, and may they do this in the bucket?"]),
        Refusal(
            testDescription: "another region",
            state:
                #"""
                {"faults": [{"service": "store", "times": 99, "fault": "status", "status": 400,
                 "body": "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting 'eu-west-1'</Message></Error>"}]}
                """#, status: 41, texts: ["s3://backups/", "expecting 'eu-west-1'", "HINT", "repo1-s3-region"]),
        Refusal(
            testDescription: "no store at all",
            state:
                #"{"faults": [{"service": "store", "times": 99, "fault": "status", "status": 404, "body": "<html>Not found</html>"}]}"#,
            status: 49, texts: ["s3://backups/", "HTTP 404", "HINT", "repo1-s3-endpoint"]),
    ]
}

@Suite struct RefusalTests {
    @Test(arguments: Refusal.all) func saysWhatToDo(_ refusal: Refusal) throws {
        let bench = try KeyBench(.shared)
        // A stanza to look for, which a refusal must not make look absent.
        try bench.succeed("--no-online", "stanza-create")
        var refused = bench
        refused.options = refusal.options
        try bench.services.tell(refusal.state)
        let create = try refused.attempt("--no-online", "stanza-create")
        #expect(create.status == refusal.status, "\(create)")
        let push = try refused.push()
        #expect(push.status > 1)
        let get = try refused.attempt("--archive-timeout=1", "archive-get", bench.segment, bench.bench.folder.path("got"))
        #expect(get.status > 1)
        let info = try refused.attempt("info")
        for outcome in [create, push, get, info] {
            for text in refusal.texts { #expect(outcome.text.contains(text), "\(text)\n\(outcome)") }
            #expect(outcome.seconds < 40)
        }
    }

    @Test func noRightToWrite() throws {
        let bench = try KeyBench(.shared)
        try bench.services.tell(
            #"""
            {"faults": [{"service": "store", "method": "PUT", "times": 99, "fault": "status", "status": 403, "body": "\#(Refusal.denied)"}]}
            """#)
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == 41, "\(outcome)")
        for text in ["unable to put 's3://backups/", "AccessDenied", "HINT: are the keys right"] {
            #expect(outcome.text.contains(text), "\(outcome)")
        }
    }
}
