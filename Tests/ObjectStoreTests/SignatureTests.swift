// Signature Version 4 against what Amazon published: the examples of the S3 API reference ("Authenticating Requests: Using the
// Authorization Header") and the test suite of the signature itself.

import BackstopCore
import Testing

@testable import BackstopDrivers

/// The SHA-256 of no bytes.
private let ofNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    var method = "GET"
    var path = "/"
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var payload = ofNothing
    let signed: String
    let signature: String
    var testDescription: String { name }
}

@Suite struct SignatureTests {
    static let published: [Vector] = [
        Vector(
            name: "get an object", path: "/test.txt", headers: [("range", "bytes=0-9")],
            signed: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            name: "put an object", method: "PUT", path: "/test%24file.text",
            headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            name: "get the life cycle", query: [("lifecycle", "")], signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            name: "list objects", query: [("prefix", "J"), ("max-keys", "2")], signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test(arguments: published)
    func s3(_ vector: Vector) throws {
        let keys = S3Keys(key: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        let date = AmazonDate(1_369_353_600)
        #expect(date.text == "20130524T000000Z")
        let headers =
            vector.headers + [
                ("x-amz-date", date.text), ("host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", vector.payload),
            ]
        let text = try SignatureV4(region: "us-east-1", service: "s3").authorization(
            method: vector.method, path: vector.path, query: vector.query, headers: headers, payload: vector.payload, keys: keys, date: date
        )
        #expect(
            text == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=\(vector.signed), Signature=\(vector.signature)")
    }

    static let generic: [Vector] = [
        Vector(name: "get-vanilla", signed: "", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            name: "get-vanilla-query-order-key-case", query: [("Param2", "value2"), ("Param1", "value1")], signed: "",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Vector(
            name: "post-vanilla", method: "POST", signed: "", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            name: "get-utf8", path: "/%E1%88%B4", signed: "", signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ]

    @Test(arguments: generic)
    func ofAnyService(_ vector: Vector) throws {
        let keys = S3Keys(key: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        let date = AmazonDate(1_440_938_160)
        let text = try SignatureV4(region: "us-east-1", service: "service").authorization(
            method: vector.method, path: vector.path, query: vector.query,
            headers: [("host", "example.amazonaws.com"), ("x-amz-date", date.text)], payload: vector.payload, keys: keys, date: date)
        #expect(text.hasSuffix("SignedHeaders=host;x-amz-date, Signature=\(vector.signature)"))
    }

    @Test(arguments: [
        ("plain-._~", "plain-._~"), ("a b", "a%20b"), ("100%", "100%25"), ("a+b", "a%2Bb"), ("a/b", "a/b"), ("ü", "%C3%BC"),
        ("🗄️", "%F0%9F%97%84%EF%B8%8F"),
        ("e\u{301}", "e%CC%81"), ("(a)*'!", "%28a%29%2A%27%21"), ("$&,;=:@?#[]", "%24%26%2C%3B%3D%3A%40%3F%23%5B%5D"),
    ])
    func encoding(_ name: String, _ encoded: String) {
        #expect(SignatureV4.encoded(name, keepsSlash: true) == encoded)
        #expect(SignatureV4.decoded(encoded).map { sameBytes($0, name) } == true)
    }

    @Test func malformedEncoding() {
        for text in ["%", "%4", "%zz", "a%", "%C3"] { #expect(SignatureV4.decoded(text) == nil, "\(text)") }
        #expect(SignatureV4.decoded("a+b") == "a b")
        #expect(SignatureV4.encoded("a/b") == "a%2Fb")
    }

    @Test(arguments: [
        ("2026-11-21T09:00:00Z", 1_795_251_600), ("2026-11-21T09:00:00.123Z", 1_795_251_600), ("2026-11-21T11:30:00+02:30", 1_795_251_600),
        ("2026-11-21T08:00:00-0100", 1_795_251_600),
    ])
    func times(_ text: String, _ wanted: Int64) { #expect(seconds(iso8601: text) == wanted) }

    @Test func noTimes() {
        for text in ["", "now", "2026-11-21", "2026-11-21T09:00:00 hours", "2026-11-21T09:00:00+1"] {
            #expect(seconds(iso8601: text) == nil, "\(text)")
        }
        #expect(seconds(httpDate: "Fri, 24 May 2013 00:00:00 GMT") == 1_369_353_600)
        for text in ["Fri, 24 May 2013 00:00:00", "Fri, 31 Feb 2013 00:00:00 GMT", "Fri, 24 Mai 2013 00:00:00 GMT", "0"] {
            #expect(seconds(httpDate: text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        ("s3.example.com", "https", "s3.example.com", 443), ("http://localhost", "http", "localhost", 80),
        ("http://localhost:8333/", "http", "localhost", 8333), ("https://[::1]:9000", "https", "[::1]", 9000),
        ("[::1]", "https", "[::1]", 443),
        ("10.0.0.1:9000", "https", "10.0.0.1", 9000),
    ])
    func endpoints(_ text: String, _ scheme: String, _ host: String, _ port: Int) throws {
        let endpoint = try S3Settings.Endpoint(text, option: "x")
        #expect(endpoint.scheme == scheme && endpoint.host == host && endpoint.port == port)
    }

    @Test(arguments: ["", "http://", "host:0", "host:port", "host/path", "ftp://host", "user@host", "a b"])
    func noEndpoints(_ text: String) { #expect(throws: BackupError.self) { try S3Settings.Endpoint(text, option: "x") } }

    /// 10 000 parts are enough for 5 TiB, and each but the last has at least the smallest size that stores take.
    @Test func sizesOfParts() throws {
        var settings = try S3Settings.small()
        for chunk in [5 << 20, 64 << 20, 1 << 30] {
            settings.partSize = chunk
            let sizes = (1...10_000).map { settings.size(ofPart: $0) }
            #expect(
                sizes.reduce(0, +) >= 5 << 40 && sizes.max()! <= 5 << 30 && sizes[0] == chunk
                    && zip(sizes, sizes.dropFirst()).allSatisfy(<=))
        }
    }
}

extension S3Settings {
    /// Those of no store at all.
    static func small() throws -> S3Settings {
        S3Settings(bucket: "b", region: "r", endpoint: try Endpoint("http://localhost", option: "x"))
    }
}
