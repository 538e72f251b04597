// Requests to a store: signed, sent, and sent again as long as that may help.

internal import BackstopCore
internal import Glibc
internal import Synchronization

/// One request in the store's terms.
struct S3Call: Sendable {
    var method: String
    /// The name of an object in the bucket; empty for the bucket itself.
    var name = ""
    /// Not encoded yet.
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: [PartBuffer]?
    /// MD5 of `body`, where the store shall check it.
    var md5: [UInt8]?
    var sink: PartBuffer?
    /// The answer is a document, which may tell of an error although the status does not.
    var answersXML = false
    var outlivesCancellation = false
    /// In words, for messages: "put 'archive/…'".
    var what: String
}

/// A request on the wire that may have to be repeated.
struct S3Pending: Sendable {
    let call: S3Call
    fileprivate(set) var exchange: HTTPExchange
    /// What it is signed with.
    fileprivate(set) var keys: S3Keys
    var backoff: Backoff
}

final class S3Client: Sendable {
    let settings: S3Settings
    let log: Log
    private let http: HTTPClient
    private let credentials: S3Credentials
    private let signature: SignatureV4
    /// Seconds that the store's clock is ahead of ours.
    private let skew = Atomic<Int64>(0)
    /// Whether the store ever answered.
    private let reached = Atomic<Bool>(false)
    /// When it could not be reached for the first time.
    private let missed = Mutex<ContinuousClock.Instant?>(nil)

    init(_ settings: S3Settings, _ http: HTTPClient, _ credentials: S3Credentials, _ log: Log) {
        self.settings = settings
        self.http = http
        self.credentials = credentials
        self.log = log
        signature = SignatureV4(region: settings.region, service: settings.service)
    }

    /// Sends and waits, with retries.
    func send(_ call: S3Call) async throws(BackupError) -> HTTPAnswer { try await finish(try await start(call)) }

    /// Puts the request on the wire.
    func start(_ call: S3Call) async throws(BackupError) -> S3Pending {
        let keys = try await credentials.keys()
        return S3Pending(
            call: call, exchange: try http.start(try request(call, keys)), keys: keys, backoff: Backoff(settings.http.timeout))
    }

    /// Waits for the answer, sending again where that may help.
    func finish(_ pending: S3Pending) async throws(BackupError) -> HTTPAnswer {
        var pending = pending
        while true {
            let result = await pending.exchange.answer()
            switch judge(result, pending.call) {
            case .done(let answer): return answer
            case .failed(let error): throw error
            case .again(let error, let after, let reason):
                try await mayTryAgain(error, after, reason, pending.keys, &pending.backoff, outlives: pending.call.outlivesCancellation)
                pending.call.sink?.clear()
                pending.keys = try await credentials.keys()
                pending.exchange = try http.start(try request(pending.call, pending.keys))
            }
        }
    }

    func judge(_ result: Result<HTTPAnswer, HTTPFailure>, _ call: S3Call) -> S3Outcome {
        if case .success = result { reached.store(true, ordering: .relaxed) }
        return S3Outcome(result, call.what, answersXML: call.answersXML).forRepository(settings.repository)
    }

    /// Waits until it is time for the next try, or throws `error` when there shall be none. `keys`: what the last one was signed with.
    func mayTryAgain(
        _ error: BackupError, _ after: Duration?, _ reason: S3Outcome.Reason, _ keys: S3Keys, _ backoff: inout Backoff,
        outlives: Bool = false
    ) async throws(BackupError) {
        switch reason {
        case .clock(let seconds): skew.store(seconds, ordering: .relaxed)
        case .expiredKeys: credentials.forget(keys)
        case .unreachable where !reached.load(ordering: .relaxed):
            // More likely a wrong address than a store that is away: say so soon, and not so long for every file that is asked for.
            let first = missed.withLock { first in
                first = first ?? .now
                return first ?? .now
            }
            backoff.limit(until: first + .seconds(5))
        case .unreachable, .trouble: break
        }
        guard let delay = backoff.next(after) else { throw error }
        log.detail("\(error.message); another try in \(secondsText(delay))")
        if outlives { usleep(100_000) } else { try await pause(delay) }
    }

    // MARK: The request

    private func request(_ call: S3Call, _ keys: S3Keys) throws(BackupError) -> HTTPRequest {
        let date = AmazonDate(unixNow() + skew.load(ordering: .relaxed))
        let path = settings.bucketPath + SignatureV4.encoded(call.name, keepsSlash: true)
        let query = call.query.map { (SignatureV4.encoded($0.name), SignatureV4.encoded($0.value)) }
        // TLS keeps the body whole on its way; without it the signature has to.
        let payload =
            settings.isEncrypted && call.body != nil ? "UNSIGNED-PAYLOAD" : hexadecimal(try Hash.sha256(call.body ?? []))
        var headers = call.headers + [("x-amz-content-sha256", payload), ("x-amz-date", date.text)]
        if let md5 = call.md5 { headers.append(("content-md5", base64(md5))) }
        if let token = keys.token { headers.append(("x-amz-security-token", token)) }
        if settings.requesterPays { headers.append(("x-amz-request-payer", "requester")) }
        let authorization = try signature.authorization(
            method: call.method, path: path, query: query, headers: headers + [("host", settings.hostHeader)], payload: payload, keys: keys,
            date: date)
        headers += [("Authorization", authorization), ("Host", settings.hostHeader)]
        let text = SignatureV4.text(query)
        return HTTPRequest(
            method: call.method, url: settings.origin + path + (text.isEmpty ? "" : "?\(text)"), headers: headers, body: call.body,
            sink: call.sink, outlivesCancellation: call.outlivesCancellation)
    }
}

/// How long to wait before the next try: twice as long each time, by chance up to that, and no longer in all than a limit.
struct Backoff: Sendable {
    private var tries = 0
    private let begin = ContinuousClock.now
    private var limit: Duration

    init(_ limit: Duration) { self.limit = limit }

    mutating func limit(until end: ContinuousClock.Instant) { limit = min(limit, end - begin) }

    /// nil: enough. `after`: what the server asked for at least.
    mutating func next(_ after: Duration?) -> Duration? {
        tries += 1
        let longest = Duration.milliseconds(min(10_000, 50 << min(tries, 8)))
        let delay = max(after ?? .zero, longest * Double.random(in: 0.5...1))
        // A clock or a key that was put right needs no more than another try; anything else gets a few, however short the limit.
        return tries <= 3 && delay < .seconds(1) || ContinuousClock.now - begin + delay < limit ? delay : nil
    }
}
