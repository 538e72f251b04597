// What arrives at the store: the headers of each request as a server between the program and the real store sees them; the store itself
// judges the signature that covers them.

import BackstopCore
import EndToEndSupport
import Foundation
import Testing

@Suite struct HeaderTests {
    private static let lock = ["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"]

    /// Runs the program and returns what it sent; nothing is refused, unless `refused` says that the store cannot do it.
    private func requests(_ options: [(String, String)], refused: Bool = false) throws -> [KeyServices.Request] {
        let bench = try KeyBench(.shared, options: options)
        let outcome = try bench.attempt("--no-online", "stanza-create")
        if !refused {
            #expect(outcome.status == 0, "\(outcome)")
            let push = try bench.push()
            #expect(push.status == 0, "\(push)")
        }
        let requests = try bench.services.requests("store")
        #expect(Set(requests.map(\.method)).isSuperset(of: ["GET", "PUT"]))
        #expect(requests.allSatisfy { $0.status != "403" })
        return requests
    }

    @Test func plain() throws {
        for request in try requests([]) {
            #expect(request.path.hasPrefix("/\(ObjectStore.bucket)/"))
            #expect(request.headers["authorization"]?.contains("/\(ObjectStore.region)/s3/aws4_request,") == true)
            let others = ["x-amz-tagging", "x-amz-server-side-encryption", "x-amz-request-payer", "x-amz-security-token"] + Self.lock
            #expect(others.allSatisfy { request.headers[$0] == nil })
            // Neither leave to send a body nor a body of unknown length: not every store can do with them.
            #expect(request.headers["expect"] == nil && request.headers["transfer-encoding"] == nil)
        }
    }

    /// With names and values that have to be encoded.
    @Test func tags() throws {
        let requests = try requests([("repo1-storage-tag", "team=data base"), ("repo1-storage-tag", "cost centre=a&b/ö+1")])
        for request in requests {
            #expect(
                request.headers["x-amz-tagging"] == (request.method == "PUT" ? "cost%20centre=a%26b%2F%C3%B6%2B1&team=data%20base" : nil))
        }
        let put = try #require(requests.last { $0.method == "PUT" })
        let tags = try run(ObjectStore.shared.get().signed("GET", "\(put.path)?tagging=")).output
        #expect(tags.contains("<Key>cost centre</Key><Value>a&amp;b/ö+1</Value>"), "\(tags)")
    }

    @Test func requesterPays() throws {
        #expect(try requests([("repo1-s3-requester-pays", "y")]).allSatisfy { $0.headers["x-amz-request-payer"] == "requester" })
    }

    @Test func service() throws {
        // The store knows no other service, so it refuses; what is signed is seen nevertheless.
        let bench = try KeyBench(.shared, options: [("repo1-s3-service", "s3-outposts")])
        _ = try bench.attempt("info")
        let seen = try bench.services.requests("store")
        #expect(!seen.isEmpty)
        #expect(seen.allSatisfy { $0.headers["authorization"]?.contains("/\(ObjectStore.region)/s3-outposts/aws4_request,") == true })
    }

    @Test func keyOfTheKeyService() throws {
        // Without a key service the store cannot do it, and the program shall not try for long.
        for request in try requests(
            [("repo1-s3-kms-key-id", "arn:aws:kms:us-east-1:1:key/of-the-tests"), ("io-timeout", "1")], refused: true)
        {
            let isPut = request.method == "PUT"
            #expect(request.headers["x-amz-server-side-encryption"] == (isPut ? "aws:kms" : nil))
            #expect(
                request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == (isPut ? "arn:aws:kms:us-east-1:1:key/of-the-tests" : nil)
            )
        }
    }

    /// Goes with everything that reads or writes content, and nobody reads it without.
    @Test func keyOfTheCustomer() throws {
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        let requests = try requests([("repo1-s3-sse-customer-key", key)])
        for request in requests where !request.path.contains("list-type=") && request.method != "DELETE" {
            #expect(request.headers["x-amz-server-side-encryption-customer-algorithm"] == "AES256")
            #expect(request.headers["x-amz-server-side-encryption-customer-key"] == key)
            #expect(request.headers["x-amz-server-side-encryption-customer-key-md5"] == "hRasmdxgYDKV3nvbahU1MA==")
        }
        let put = try #require(requests.last { $0.method == "PUT" })
        #expect(try ObjectStore.shared.get().request("GET", put.path).status != 0)
    }

    @Test(arguments: ["too short", "MDEyMzQ1Njc4OWFiY2RlZg=="]) func keyThatIsNone(_ key: String) throws {
        let bench = try KeyBench(.shared, options: [("repo1-s3-sse-customer-key", key)])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == 32 && outcome.text.contains("repo1-s3-sse-customer-key") && !outcome.text.contains(key), "\(outcome)")
        #expect(try bench.services.requests().isEmpty)
    }

    // MARK: Hosts

    private func throughTheGate(_ services: KeyServices) -> [(String, String)] {
        [("repo1-storage-host", "http://127.0.0.1"), ("repo1-storage-port", "\(services.port)")]
    }

    /// The bucket is in the host's name, and the host is not where the connection goes.
    @Test(arguments: [
        (ObjectStore.domain, "host", "\(ObjectStore.bucket).\(ObjectStore.domain)"), (ObjectStore.domain, "path", ObjectStore.domain),
        ("https://\(ObjectStore.domain):8443", "path", "\(ObjectStore.domain):8443"),
    ]) func anotherHost(_ endpoint: String, _ style: String, _ host: String) throws {
        var bench = try KeyBench(.shared)
        bench.options = throughTheGate(bench.services) + [("repo1-s3-endpoint", endpoint), ("repo1-s3-uri-style", style)]
        try bench.succeed("--no-online", "stanza-create")
        #expect(try bench.push().status == 0)
        let requests = try bench.services.requests("store")
        #expect(requests.count > 4 && requests.allSatisfy { $0.headers["host"] == host })
        #expect(requests.allSatisfy { $0.path.hasPrefix("/\(ObjectStore.bucket)/") == (style == "path") })
    }

    // MARK: Uploads in parts

    /// What belongs to the object goes with the beginning of its upload; the customer's key with each part too.
    @Test func parts() async throws {
        let services = try KeyServices()
        let options = try ObjectStore.shared.get().options(path: "/\(UUID().uuidString)", port: services.port)
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        let store = try await openStorage(options + [("repo1-s3-sse-customer-key", key), ("repo1-s3-requester-pays", "y")])
        let content = [UInt8](repeating: 7, count: (21 << 20) + 1)
        _ = try await store.put(try Key(checking: "large"), bytes: content)
        #expect(try await store.read(try Key(checking: "large")) == content)
        let requests = try services.requests("store")
        #expect(requests.filter { $0.path.contains("partNumber=") }.count == 5)
        #expect(requests.allSatisfy { $0.headers["x-amz-request-payer"] == "requester" && $0.status.hasPrefix("2") })
        #expect(requests.allSatisfy { $0.headers["x-amz-server-side-encryption-customer-key"] == key })
    }
}
