// AWS Signature Version 4 ("Authenticating Requests" in the Amazon S3 API reference).

internal import BackstopCore

/// What requests are signed with.
struct S3Keys: Sendable, Equatable {
    var key: String
    var secret: String
    /// Goes with keys that are valid for a while only.
    var token: String?
    /// Unix seconds; nil: for ever.
    var expires: Int64?
}

/// Signs requests for one region and service.
struct SignatureV4: Sendable {
    var region: String
    var service: String

    /// The value of the Authorization header. `path` and `query` are percent-encoded already and go on the wire as they are here;
    /// `headers` are all that are signed, `host` and `x-amz-date` among them.
    func authorization(
        method: String, path: String, query: [(name: String, value: String)], headers: [(name: String, value: String)], payload: String,
        keys: S3Keys, date: AmazonDate
    ) throws(BackupError) -> String {
        let sorted = headers.map { (name: $0.name.lowercased(), value: $0.value) }.sorted { bytewiseLess($0.name, $1.name) }
        let names = sorted.map(\.name).joined(separator: ";")
        let canonical = [
            method, path, Self.text(query), sorted.map { "\($0.name):\(Self.trimmed($0.value))\n" }.joined(), names, payload,
        ].joined(separator: "\n")
        let scope = "\(date.day)/\(region)/\(service)/aws4_request"
        let toSign = "AWS4-HMAC-SHA256\n\(date.text)\n\(scope)\n\(hexadecimal(try Hash.sha256(canonical)))"
        var key = Array("AWS4\(keys.secret)".utf8)
        for part in [date.day, region, service, "aws4_request"] { key = try Hash.hmac(key, part) }
        let signature = hexadecimal(try Hash.hmac(key, toSign))
        return "AWS4-HMAC-SHA256 Credential=\(keys.key)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
    }

    /// The query as it is signed and sent: sorted by name, then value.
    static func text(_ query: [(name: String, value: String)]) -> String {
        query.sorted { $0.name == $1.name ? bytewiseLess($0.value, $1.value) : bytewiseLess($0.name, $1.name) }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// Without blanks at its ends, and one where there are several.
    private static func trimmed(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }

    /// Everything but letters, digits and `-._~` as `%XX`, byte by byte; `/` too unless it is to be kept.
    static func encoded(_ text: String, keepsSlash: Bool = false) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.append(byte)
            case UInt8(ascii: "/") where keepsSlash: result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The inverse, for listings that a store encodes; nil when it is malformed.
    static func decoded(_ text: String) -> String? {
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                result.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst(), let low = rest.popFirst(),
                    let number = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
                else { return nil }
                result.append(number)
            } else {
                result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }
}

/// A moment as signatures write it.
struct AmazonDate: Sendable {
    /// `20130524T000000Z`.
    let text: String
    /// `20130524`.
    var day: String { String(text.prefix(8)) }

    init(_ seconds: Int64) { text = utcTime(seconds, "%Y%m%dT%H%M%SZ") }
}
