// One request and what is answered to it, while it is under way.

internal import BackstopCore
internal import Glibc
internal import Synchronization

struct HTTPRequest: Sendable {
    var method: String
    /// Whole, with everything percent-encoded that has to be.
    var url: String
    /// Name and value; sent as they are, besides those that HTTP itself needs.
    var headers: [(name: String, value: String)] = []
    /// One after the other; nil: no body.
    var body: [PartBuffer]?
    /// Where the bytes of an answer with a status below 300 go; nil: into the answer's own `body`.
    var sink: PartBuffer?
    /// Largest body of an answer that is not for a sink.
    var limit = 64 << 20
    /// Never by way of a proxy: the server is this host or next to it.
    var isNearby = false
    /// Goes on although the process was asked to end: what cleans up.
    var outlivesCancellation = false
}

struct HTTPAnswer: Sendable {
    /// `HTTP/1.1` or `HTTP/2`.
    var version: String
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]
}

/// What ended a transfer other than an answer.
enum HTTPFailure: Error, Sendable {
    /// Never reached the server: name, connection, certificate. With libcurl's own text.
    case unreachable(String)
    /// It was reached, and does not speak TLS as it should.
    case noTLS(String)
    /// Not to be mended by another try: a certificate that is not trusted, a malformed address.
    case refused(String)
    /// The connection broke, stalled or carried less than announced.
    case broken(String)
    case cancelled(BackupError)
    /// What is asked for cannot be done here.
    case impossible(BackupError)
}

/// Shared by the thread of the client, which fills it, and the task that waits for it.
final class HTTPExchange: Sendable {
    let request: HTTPRequest

    private struct State {
        var version = ""
        var status = 0
        var headers: [String: String] = [:]
        var headersDone = false
        var body: [UInt8] = []
        /// Bytes in the sink.
        var received = 0
        var overflow = false
        var result: Result<HTTPAnswer, HTTPFailure>?
        var sent = 0
        /// Resumed when more than `wanted` bytes are in the sink, or at the end; with 0 at the end of the headers too.
        var waiting: UnsafeContinuation<Void, Never>?
        var wanted = Int.max
        var isAbandoned = false

        mutating func takeWaiting() -> UnsafeContinuation<Void, Never>? {
            defer {
                waiting = nil
                wanted = .max
            }
            return waiting
        }
    }
    private let state = Mutex(State())

    init(_ request: HTTPRequest) { self.request = request }

    // MARK: For whoever waits

    /// The whole answer.
    func answer() async -> Result<HTTPAnswer, HTTPFailure> {
        while true {
            if let result = state.withLock({ $0.result }) { return result }
            await wait(for: .max)
        }
    }

    /// Status and headers, as soon as they are there; nil when the transfer ended without.
    func head() async -> (status: Int, headers: [String: String])? {
        while true {
            let (head, ended) = state.withLock { state in
                (state.headersDone ? (state.status, state.headers) : nil, state.result != nil)
            }
            if head != nil || ended { return head }
            await wait(for: -1)
        }
    }

    /// How many bytes are in the sink, waiting until that is more than `known` or all.
    func received(beyond known: Int) async -> (count: Int, ended: Bool) {
        while true {
            let (count, ended) = state.withLock { ($0.received, $0.result != nil) }
            if count > known || ended { return (count, ended) }
            await wait(for: known)
        }
    }

    /// Nobody waits for it any more: it is taken from the wire.
    func abandon() { state.withLock { $0.isAbandoned = true } }
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    private func wait(for known: Int) async {
        await withUnsafeContinuation { continuation in
            let atOnce = state.withLock { state in
                if state.result != nil || (known < 0 && state.headersDone) || (known >= 0 && state.received > known) { return true }
                state.waiting = continuation
                state.wanted = known
                return false
            }
            if atOnce { continuation.resume() }
        }
    }

    // MARK: For the thread of the client

    /// Up to `room` bytes of the body; none at its end.
    func send(_ target: UnsafeMutableRawPointer, _ room: Int) -> Int {
        state.withLock { state in
            var before = 0
            for buffer in request.body ?? [] {
                let offset = state.sent - before
                if offset < buffer.count {
                    let count = min(room, buffer.count - offset)
                    target.copyMemory(from: buffer.bytes.baseAddress! + offset, byteCount: count)
                    state.sent += count
                    return count
                }
                before += buffer.count
            }
            return 0
        }
    }

    func seek(to offset: Int) { state.withLock { $0.sent = offset } }

    func header(_ line: UnsafeRawBufferPointer) {
        let text = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let continuation = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            if text.hasPrefix("HTTP/") {
                // A new answer: what came before was interim.
                let parts = text.split(separator: " ")
                state.version = String(parts[0])
                state.status = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
                state.headers = [:]
                state.headersDone = false
            } else if text.isEmpty {
                state.headersDone = state.status >= 200
                if state.headersDone && state.wanted < 0 { return state.takeWaiting() }
            } else if let colon = text.firstIndex(of: ":") {
                let value = text[text.index(after: colon)...]
                state.headers[text[..<colon].lowercased()] = String(value.drop { $0 == " " || $0 == "\t" })
            }
            return nil
        }
        continuation?.resume()
    }

    /// False stops the transfer.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (goesOn, continuation) = state.withLock { state -> (Bool, UnsafeContinuation<Void, Never>?) in
            if state.isAbandoned { return (false, nil) }
            if let sink = request.sink, state.status < 300 {
                guard sink.append(bytes) else {
                    state.overflow = true
                    return (false, nil)
                }
                state.received = sink.count
                // Waking for every packet would cost more than it gains.
                let enough = state.wanted >= 0 && state.wanted != .max && state.received >= state.wanted + 1 << 17
                return (true, enough ? state.takeWaiting() : nil)
            }
            guard state.body.count + bytes.count <= request.limit else {
                state.overflow = true
                return (false, nil)
            }
            state.body.append(contentsOf: bytes)
            return (true, nil)
        }
        continuation?.resume()
        return goesOn
    }

    func end(_ failure: HTTPFailure?) {
        let continuation = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            if state.result != nil { return nil }
            if state.overflow {
                state.result = .failure(.broken("the answer is longer than announced or allowed"))
            } else if let failure {
                state.result = .failure(failure)
            } else {
                state.result = .success(HTTPAnswer(version: state.version, status: state.status, headers: state.headers, body: state.body))
            }
            return state.takeWaiting()
        }
        continuation?.resume()
    }
}
