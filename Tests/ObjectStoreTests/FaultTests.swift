// What a network and a store can do wrong: each time the right bytes, or a clear error and nothing half-visible.

import BackstopConformance
import BackstopCore
import EndToEndSupport
import Foundation
import Testing

@testable import BackstopDrivers

/// Random bytes that differ by seed.
private func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    var result: [UInt8] = []
    result.reserveCapacity(count + 8)
    while result.count < count {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        withUnsafeBytes(of: state) { result.append(contentsOf: $0) }
    }
    return Array(result.prefix(count))
}

/// One that is put in one request, and one that is put in parts.
private let sizes = [100_000, 23 << 20]

@Suite(.servers) struct FaultTests {
    let proxy: FaultProxy
    let key = Key("folder/object")

    init() throws { proxy = try FaultProxy(ObjectStore.shared.get()) }

    private func expect(_ storage: any Storage, holds content: [UInt8]) async throws {
        try proxy.set()
        try await expectRead(storage, content)
        #expect(try await storage.stat(key)?.size == UInt64(content.count))
    }

    /// Not by comparing in an expectation, which would print both.
    private func expectRead(_ storage: any Storage, _ content: [UInt8]) async throws {
        let read = try await storage.read(key)
        let isSame = read == content
        #expect(isSame, "\(read.count) bytes are read, \(content.count) others were put")
    }

    private func expectNothing(_ storage: any Storage) async throws {
        try proxy.set()
        #expect(try await storage.stat(key) == nil)
        #expect(try await storage.list(.root, .all).isEmpty)
        let uploads = try await (storage as? any UploadingStorage)?.unfinishedUploads(.root)
        #expect(uploads?.isEmpty == true)
    }

    private func failure(_ body: () async throws -> Void) async -> BackupError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? BackupError
        }
    }

    // MARK: The store has no time

    @Test(arguments: [429, 500, 502, 503, 504], sizes)
    func busy(_ status: Int, _ size: Int) async throws {
        let storage = try await proxy.storage()
        let content = bytes(size)
        try proxy.set(#"{"fault": "status", "status": \#(status), "times": 3}"#)
        try await storage.put(key, bytes: content)
        #expect(try proxy.log().filter { $0.status == "\(status)" }.count == 3)
        try proxy.set(#"{"fault": "status", "status": \#(status), "times": 2, "method": "GET"}"#)
        try await expectRead(storage, content)
        try proxy.set(#"{"fault": "status", "status": \#(status), "times": 2}"#)
        #expect(try await storage.list(.root, .all).map(\.key) == [key])
        try proxy.set(#"{"fault": "status", "status": \#(status), "times": 2}"#)
        try await storage.remove(key)
        try await expectNothing(storage)
    }

    /// By the code in the body, whatever the status.
    @Test(arguments: ["SlowDown", "RequestTimeout", "InternalError"])
    func busyByCode(_ code: String) async throws {
        let storage = try await proxy.storage()
        try proxy.set(#"{"fault": "status", "status": 400, "times": 2, "body": "<Error><Code>\#(code)</Code></Error>"}"#)
        try await storage.put(key, bytes: [1, 2, 3])
        try await expect(storage, holds: [1, 2, 3])
    }

    @Test func retryAfterIsObeyed() async throws {
        let storage = try await proxy.storage()
        try proxy.set(#"{"fault": "status", "status": 429, "headers": {"Retry-After": "2"}}"#)
        let begin = ContinuousClock.now
        try await storage.put(key, bytes: [1])
        #expect(ContinuousClock.now - begin >= .seconds(2))
        // One that is longer than anybody waits is an error at once.
        try proxy.set(#"{"fault": "status", "status": 503, "headers": {"Retry-After": "3600"}, "times": 100}"#)
        let error = try #require(await failure { try await storage.put(key, bytes: [2]) })
        #expect(error.code == .unavailable && error.message.contains("503"))
        #expect(try proxy.log().count == 1)
    }

    @Test func busyForGood() async throws {
        let storage = try await proxy.storage(["io-timeout": "1500"])
        try proxy.set(
            #"{"fault": "status", "status": 503, "times": 100000, "body": "<Error><Code>SlowDown</Code><Message>Slow!</Message></Error>"}"#)
        let error = try #require(await failure { try await storage.put(key, bytes: [2]) })
        #expect(error.code == .unavailable && error.message.contains("HTTP 503 SlowDown: Slow!"), "\(error)")
        #expect(error.message.contains("folder/object"))
        // Not the time, which a busy machine stretches: how often it was tried, with longer and longer pauses, until the time-out was over.
        let tries = try proxy.log().count
        #expect((2...6).contains(tries), "\(tries) tries")
        try await expectNothing(storage)
    }

    /// What no repeat mends is not repeated.
    @Test(arguments: [(403, "AccessDenied", BackupError.Code.denied), (400, "InvalidArgument", .io), (501, "NotImplemented", .io)])
    func refused(_ status: Int, _ code: String, _ wanted: BackupError.Code) async throws {
        let storage = try await proxy.storage()
        try proxy.set(
            #"{"fault": "status", "status": \#(status), "times": 100, "body": "<Error><Code>\#(code)</Code><Message>No, thanks.</Message></Error>"}"#
        )
        let error = try #require(await failure { try await storage.put(key, bytes: [1]) })
        #expect(error.code == wanted)
        #expect(error.message.contains("\(code): No, thanks."), "\(error)")
        #expect(try proxy.log().count == 1)
    }

    /// The next try goes by the clock of the store.
    @Test func clockIsWrong() async throws {
        let storage = try await proxy.storage()
        let body = "<Error><Code>RequestTimeTooSkewed</Code></Error>"
        try proxy.set(#"{"fault": "status", "status": 403, "headers": {"Date": "\#(httpNow())"}, "body": "\#(body)"}"#)
        try await storage.put(key, bytes: [1])
        try await expect(storage, holds: [1])
        try proxy.set(#"{"fault": "status", "status": 403, "times": 10000, "body": "\#(body)"}"#)
        let impatient = try await proxy.storage(["io-timeout": "1500"])
        let error = try #require(await failure { try await impatient.put(key, bytes: [1]) })
        #expect(error.hint?.contains("clock") == true)
    }

    private func httpNow() -> String {
        let form = DateFormatter()
        form.locale = Locale(identifier: "en_US_POSIX")
        form.timeZone = TimeZone(identifier: "UTC")
        form.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return form.string(from: Date())
    }

    // MARK: The connection breaks

    @Test(arguments: 0...10)
    func cutWhilePutting(_ tenth: Int) async throws {
        let storage = try await proxy.storage()
        for (number, size) in sizes.enumerated() {
            let content = bytes(size, seed: UInt64(tenth))
            let has = number == 0 ? "object" : "partNumber=2"
            try proxy.set(#"{"method": "PUT", "has": "\#(has)", "fault": "cut-request", "part": \#(Double(tenth) / 10)}"#)
            try await storage.put(key, bytes: content)
            #expect(try proxy.log().contains { $0.status == "cut" })
            try await expect(storage, holds: content)
        }
    }

    @Test(arguments: 0...10)
    func cutWhileGetting(_ tenth: Int) async throws {
        let storage = try await proxy.storage()
        for size in [1, 100_000, 9 << 20] {
            let content = bytes(size, seed: UInt64(tenth))
            try await storage.put(key, bytes: content)
            // The first part, and the first repeat.
            try proxy.set(#"{"method": "GET", "fault": "cut-answer", "times": 2, "part": \#(Double(tenth) / 10)}"#)
            try await expectRead(storage, content)
            // An answer that is cut at its very end is whole.
            #expect(try proxy.log().count >= (tenth == 10 ? 1 : 2))
            if size > 1 << 20, (1...9).contains(tenth) {
                // On from where it broke, not anew.
                let ranges = try proxy.log().map(\.range)
                #expect(Set(ranges).count == ranges.count, "\(ranges)")
            }
        }
    }

    @Test func answersAreLost() async throws {
        let storage = try await proxy.storage()
        for size in sizes {
            let content = bytes(size)
            for has in ["object", "uploads", "partNumber=3", "uploadId="] where size > 1 << 20 || has == "object" {
                let method = has == "uploads" || has == "uploadId=" ? "POST" : "PUT"
                try proxy.set(#"{"method": "\#(method)", "has": "\#(has)", "fault": "lose-answer"}"#)
                try await storage.put(key, bytes: content)
                #expect(try proxy.log().contains { $0.status == "lost" }, "\(has)")
                try await expect(storage, holds: content)
                try await storage.remove(key)
            }
        }
        try proxy.set(#"{"method": "DELETE", "fault": "lose-answer"}"#)
        try await storage.remove(key)
    }

    @Test func slowDrip() async throws {
        let storage = try await proxy.storage(["io-timeout": "2000"])
        let content = bytes(200_000)
        try await storage.put(key, bytes: content)
        // As long as something comes it is worth waiting.
        try proxy.set(#"{"method": "GET", "fault": "drip", "bytes": 10000, "seconds": 0.2}"#)
        try await expectRead(storage, content)
        // Nothing at all for longer than the limit is a broken connection.
        try proxy.set(#"{"method": "GET", "fault": "delay", "seconds": 300}"#)
        let begin = ContinuousClock.now
        try await expectRead(storage, content)
        #expect(ContinuousClock.now - begin < .seconds(120))
    }

    // MARK: The store says what is not so

    @Test func completeFailsWithStatus200() async throws {
        let storage = try await proxy.storage(["io-timeout": "1500"])
        let content = bytes(sizes[1])
        let body = #""body": "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>Try again.</Message></Error>""#
        try proxy.set(#"{"method": "POST", "has": "uploadId=", "fault": "status", "status": 200, "times": 2, \#(body)}"#)
        try await storage.put(key, bytes: content)
        try await expect(storage, holds: content)
        try await storage.remove(key)

        try proxy.set(#"{"method": "POST", "has": "uploadId=", "fault": "status", "status": 200, "times": 10000, \#(body)}"#)
        let error = try #require(await failure { try await storage.put(key, bytes: content) })
        #expect(error.message.contains("InternalError: Try again."), "\(error)")
        try await expectNothing(storage)

        // Neither an error nor what was asked for.
        try proxy.set(
            #"{"method": "POST", "has": "uploadId=", "fault": "status", "status": 200, "times": 10000, "body": "<html>OK</html>"}"#)
        #expect(await failure { try await storage.put(key, bytes: content) } != nil)
        try await expectNothing(storage)
        try proxy.set(#"{"method": "POST", "has": "uploadId=", "fault": "status", "status": 200, "times": 10000, "body": "<Complete"}"#)
        #expect(await failure { try await storage.put(key, bytes: content) } != nil)
        try await expectNothing(storage)
    }

    /// An old object that is as large as the new one is not taken for it.
    @Test func completeFailsOverAnOldObject() async throws {
        let storage = try await proxy.storage(["io-timeout": "1500"])
        let old = bytes(sizes[1])
        try await storage.put(key, bytes: old)
        let new = [UInt8](old.reversed())
        for answer in [#""status": 503, "body": """#, #""status": 200, "body": "<Error><Code>InternalError</Code></Error>""#] {
            try proxy.set(#"{"method": "POST", "has": "uploadId=", "fault": "status", "times": 10000, \#(answer)}"#)
            #expect(await failure { try await storage.put(key, bytes: new) } != nil)
            try proxy.set()
            try await expect(storage, holds: old)
        }
        // The store says that it is done, and has something else.
        try proxy.set(#"{"method": "HEAD", "fault": "replace", "headers": {"ETag": "\"00000000000000000000000000000000-9\""}}"#)
        #expect(await failure { try await storage.put(key, bytes: new) } != nil)
        // Another one, that is: whoever put it may have been told that it is safe.
        #expect(try !proxy.log().contains { $0.method == "DELETE" && !$0.path.contains("uploadId=") })
        try await expect(storage, holds: new)
    }

    @Test func wrongTags() async throws {
        let storage = try await proxy.storage()
        let wrong = #""headers": {"ETag": "\"00000000000000000000000000000000\""}"#
        try proxy.set(#"{"method": "PUT", "fault": "replace", \#(wrong)}"#)
        let small = try #require(await failure { try await storage.put(key, bytes: [1, 2, 3]) })
        #expect(small.code == .io && small.message.contains("folder/object"), "\(small)")
        // What the store has under the name is not what that tag says: somebody else's, for all that we know.
        try await expect(storage, holds: [1, 2, 3])
        try await storage.remove(key)
        // It is ours.
        try proxy.set(#"{"method": "PUT", "fault": "replace", \#(wrong)}"#, #"{"method": "HEAD", "fault": "replace", \#(wrong)}"#)
        #expect(await failure { try await storage.put(key, bytes: [1, 2, 3]) } != nil)
        #expect(try proxy.log().contains { $0.method == "DELETE" })
        try proxy.set()
        try await storage.remove(key)

        try proxy.set(#"{"method": "PUT", "has": "partNumber=2", "fault": "replace", \#(wrong)}"#)
        #expect(await failure { try await storage.put(key, bytes: bytes(sizes[1])) } != nil)
        try await expectNothing(storage)

        // The whole has another size than what was sent.
        try proxy.set(#"{"method": "HEAD", "fault": "replace", "headers": {"Content-Length": "5"}}"#)
        #expect(await failure { try await storage.put(key, bytes: bytes(sizes[1])) } != nil)
        try await expectNothing(storage)
    }

    /// A bucket whose objects are encrypted with a key of the store by default: the tags are no MD5 then, and nothing is wrong.
    @Test func tagsOfAnEncryptingBucket() async throws {
        let storage = try await proxy.storage()
        let headers = #""headers": {"ETag": "\"00000000000000000000000000000000\"", "x-amz-server-side-encryption": "aws:kms"}"#
        for size in sizes {
            let content = bytes(size)
            let has = size == sizes[0] ? "object" : "partNumber=2"
            try proxy.set(#"{"method": "PUT", "has": "\#(has)", "fault": "replace", \#(headers)}"#)
            let tampersWithParts = size > sizes[0]
            if tampersWithParts {
                // The store is then told a tag that it never gave, so all that matters is that we do not refuse the part.
                let error = await failure { try await storage.put(key, bytes: content) }
                #expect(error?.message.contains("is not what was sent") != true, "\(String(describing: error))")
            } else {
                try await storage.put(key, bytes: content)
                try await expect(storage, holds: content)
            }
        }
    }

    @Test func listings() async throws {
        let storage = try await proxy.storage()
        for name in ["a", "b", "c"] { try await storage.put(Key(name), bytes: [1]) }
        // A page that was cut is asked for again, and is an error when it is cut each time.
        try proxy.set(#"{"method": "GET", "fault": "replace", "keep": 0.7}"#)
        #expect(try await storage.list(.root).map(\.key.path) == ["a", "b", "c"])
        try proxy.set(#"{"method": "GET", "fault": "replace", "keep": 0.7, "times": 100}"#)
        #expect(try #require(await failure { _ = try await storage.list(.root) }).code == .corrupt)
        // Whole XML that is no whole listing.
        for body in [
            "<ListBucketResult></ListBucketResult>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>x</Key></Contents></ListBucketResult>", "<html/>", "",
        ] {
            try proxy.set(#"{"method": "GET", "fault": "replace", "times": 100, "body": "\#(body)"}"#)
            #expect(try #require(await failure { _ = try await storage.list(.root) }, "\(body)").code == .corrupt, "\(body)")
        }
        // A store that sends round in circles.
        let circle = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"
        try proxy.set(#"{"method": "GET", "fault": "replace", "times": 100, "body": "\#(circle)"}"#)
        #expect(try #require(await failure { _ = try await storage.list(.root) }).code == .corrupt)
        // Entities that grow and files of this host.
        let bomb =
            #"<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><ListBucketResult><IsTruncated>false</IsTruncated><Name>&b;</Name></ListBucketResult>"#
        try proxy.set(#"{"method": "GET", "fault": "replace", "times": 100, "body": "\#(bomb)"}"#)
        _ = await failure { _ = try await storage.list(.root) }
    }

    @Test func removals() async throws {
        let storage = try await proxy.storage(["io-timeout": "1000"])
        let keys = ["a", "b", "c"].map { Key($0) }
        for key in keys { try await storage.put(key, bytes: [1]) }
        let name = storage.location.replacing("s3://\(ObjectStore.bucket)/", with: "") + "/b"
        // One that was not removed is removed for itself.
        let body = "<DeleteResult><Error><Key>\(name)</Key><Code>InternalError</Code></Error></DeleteResult>"
        try proxy.set(#"{"method": "POST", "has": "delete", "fault": "replace", "body": "\#(body)"}"#)
        try await storage.remove(keys)
        #expect(try proxy.log().contains { $0.method == "DELETE" })
        try await expectNothing(storage)

        for key in keys { try await storage.put(key, bytes: [1]) }
        try proxy.set(
            #"{"method": "POST", "has": "delete", "fault": "replace", "body": "\#(body)"}"#,
            #"{"method": "DELETE", "fault": "status", "status": 403, "times": 100, "body": "<Error><Code>AccessDenied</Code></Error>"}"#)
        let error = try #require(await failure { try await storage.remove(keys) })
        #expect(error.code == .denied && error.message.contains("/b'"), "\(error)")
        try proxy.set(#"{"method": "POST", "has": "delete", "fault": "status", "status": 200, "times": 100, "body": "<html/>"}"#)
        #expect(await failure { try await storage.remove(keys) } != nil)
    }

    /// An object that is replaced while it is read is no mixture of both.
    @Test func replacedWhileRead() async throws {
        let storage = try await proxy.storage(["repo1-storage-prefetch": "0"])
        try await storage.put(key, bytes: bytes(9 << 20, seed: 1))
        var source = try await storage.open(key)
        var block = Block(capacity: 1 << 20)
        _ = try await block.fillWhole(from: &source)
        try await storage.put(key, bytes: bytes(9 << 20, seed: 2))
        var problem: BackupError?
        do throws(BackupError) { try await source.drain(&block) } catch { problem = error }
        #expect(problem?.message.contains("replaced") == true, "\(String(describing: problem))")
    }

    /// A source that ends with an error leaves no part behind.
    @Test func failingSource() async throws {
        let storage = try await proxy.storage()
        var source = FailingSource(left: 30 << 20)
        var problem: BackupError?
        do throws(BackupError) { _ = try await storage.put(key, from: &source, PutOptions()) } catch { problem = error }
        #expect(problem?.code == .crypto)
        #expect(try proxy.log().contains { $0.method == "DELETE" && $0.path.contains("uploadId=") })
        try await expectNothing(storage)
    }

    private struct FailingSource: ByteSource, ~Copyable {
        var left: Int
        mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
            guard left > 0 else { throw BackupError(.crypto, "no more") }
            let count = min(left, out.freeCapacity, 1 << 20)
            out.append(contentsOf: [UInt8](repeating: 7, count: count), 0..<count)
            left -= count
            return true
        }
    }
}
