// The one thread that talks to servers: it drives all transfers of a storage, keeps their connections and TLS sessions and reuses both.

internal import BackstopCore
internal import CCurl
internal import Glibc
internal import Synchronization

/// How servers are reached.
struct HTTPSettings: Sendable {
    var verifiesTLS = true
    /// Bundle, or folder, of the authorities that servers are judged by; nil: the system's.
    var authorityFile: String?
    var authorityFolder: String?
    /// A transfer that carries nothing for so long is broken.
    var timeout: Duration = .seconds(60)
    /// Where the server offers it with TLS; otherwise HTTP/1.1.
    var usesHTTP2 = false
    var keepsAlive = true
    /// Seconds; nil: as the system does.
    var keepAliveIdle: Int?
    var keepAliveInterval: Int?
    /// What OpenSSL may agree on with a server: ciphers for TLS 1.2, cipher suites for TLS 1.3; nil: its own choice.
    var ciphers12: String?
    var ciphers13: String?
}

/// Any number of exchanges at a time. The thread starts with the first one and ends with the client.
final class HTTPClient: Sendable {
    private let settings: HTTPSettings
    private struct State {
        var engine: Engine?
    }
    private let state = Mutex(State())

    init(_ settings: HTTPSettings) { self.settings = settings }

    deinit { state.withLock { $0.engine?.stop() } }

    /// Puts the request on the wire; the answer is waited for with the exchange.
    func start(_ request: HTTPRequest) throws(BackupError) -> HTTPExchange {
        let exchange = HTTPExchange(request)
        let engine = try state.withLock { (state) throws(BackupError) -> Engine in
            if let engine = state.engine { return engine }
            let engine = try Engine(settings)
            state.engine = engine
            return engine
        }
        engine.submit(exchange)
        return exchange
    }
}

/// The thread and what belongs to it.
private final class Engine: @unchecked Sendable {
    // `submitted` and `stopping` are guarded by `mutex`; everything else belongs to the thread.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var submitted: [HTTPExchange] = []
    private var stopping = false

    private let settings: HTTPSettings
    private let multi: UnsafeMutableRawPointer
    private var active: [UnsafeMutableRawPointer: Transfer] = [:]
    private var idle: [UnsafeMutableRawPointer] = []

    /// What libcurl holds on to during a transfer.
    private struct Transfer {
        let exchange: HTTPExchange
        let headers: UnsafeMutableRawPointer?
        /// Where libcurl says what went wrong, with names and numbers.
        let message: UnsafeMutablePointer<CChar>
    }

    init(_ settings: HTTPSettings) throws(BackupError) {
        if let problem = backstop_curl_load() {
            throw BackupError(
                .unsupported, "unable to load libcurl: \(String(cString: problem))",
                hint: "install libcurl (on Debian: apt install libcurl4).")
        }
        if let problem = Self.problem(settings) { throw problem }
        guard let multi = backstop_curl_multi() else { throw BackupError(.unavailable, "libcurl cannot be started") }
        self.settings = settings
        self.multi = multi
        pthread_mutex_init(mutex, nil)
        // Enough to keep the connections of all workers between two objects.
        _ = backstop_curl_multi_set(multi, Int32(CURLMOPT_MAXCONNECTS.rawValue), 256)

        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Engine>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, retained.toOpaque())
        guard status == 0 else {
            retained.release()
            throw BackupError(.unavailable, "unable to start a thread: \(systemMessage(status))")
        }
        pthread_detach(thread)
    }

    /// Other TLS libraries have other names for ciphers, or go on with those that were to be forbidden.
    private static func problem(_ settings: HTTPSettings) -> BackupError? {
        guard settings.ciphers12 != nil || settings.ciphers13 != nil else { return nil }
        let version = String(cString: backstop_curl_version())
        guard ["OpenSSL", "LibreSSL", "BoringSSL", "AWS-LC", "quictls"].contains(where: { version.contains($0) }) else {
            return BackupError(
                .unsupported, "tls-cipher-12 and tls-cipher-13 need a libcurl that uses OpenSSL; this one is \(version)",
                hint: "take the options out, or install a libcurl with OpenSSL.")
        }
        return nil
    }

    deinit {
        for easy in idle { backstop_curl_easy_cleanup(easy) }
        backstop_curl_multi_cleanup(multi)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    // MARK: From any thread

    func submit(_ exchange: HTTPExchange) {
        locked { submitted.append(exchange) }
        _ = backstop_curl_multi_wakeup(multi)
    }

    func stop() {
        locked { stopping = true }
        _ = backstop_curl_multi_wakeup(multi)
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    // MARK: The thread

    private func run() {
        while true {
            let (new, stops) = locked { () -> ([HTTPExchange], Bool) in
                defer { submitted.removeAll(keepingCapacity: true) }
                return (submitted, stopping)
            }
            for exchange in new { begin(exchange) }
            if stops {
                for easy in Array(active.keys) { end(easy, .cancelled(BackupError(.cancelled, "the storage was closed"))) }
                return
            }
            var running: Int32 = 0
            _ = backstop_curl_multi_perform(multi, &running)
            var result: Int32 = 0
            while let easy = backstop_curl_multi_done(multi, &result) { end(easy, failure(easy, result)) }
            dropUnwanted()
            _ = backstop_curl_multi_poll(multi, active.isEmpty ? 60_000 : 200)
        }
    }

    /// Transfers that nobody waits for, and all but the cleaning ones when the process is to end.
    private func dropUnwanted() {
        let cancelled: BackupError?
        do throws(BackupError) {
            try Cancellation.check()
            cancelled = nil
        } catch {
            cancelled = error
        }
        for (easy, transfer) in active {
            if transfer.exchange.isAbandoned {
                end(easy, .cancelled(BackupError(.cancelled, "no longer wanted")))
            } else if let cancelled, !transfer.exchange.request.outlivesCancellation {
                end(easy, .cancelled(cancelled))
            }
        }
    }

    private func begin(_ exchange: HTTPExchange) {
        guard let easy = idle.popLast() ?? backstop_curl_easy() else { return exchange.end(.broken("libcurl has no memory")) }
        var headers: UnsafeMutableRawPointer?
        // No waiting for leave to send a body: a refusal comes soon enough.
        for (name, value) in exchange.request.headers + [("Expect", "")] {
            headers = backstop_curl_list_append(headers, value.isEmpty ? "\(name):" : "\(name): \(value)") ?? headers
        }
        let message = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        message.pointee = 0
        active[easy] = Transfer(exchange: exchange, headers: headers, message: message)
        _ = backstop_curl_set_pointer(easy, Int32(CURLOPT_ERRORBUFFER.rawValue), message)
        if let problem = set(easy, exchange, headers) { return end(easy, .impossible(problem)) }
        if backstop_curl_multi_add(multi, easy) != 0 { end(easy, .broken("libcurl does not take the transfer")) }
    }

    /// What makes the transfer impossible, if anything.
    private func set(_ easy: UnsafeMutableRawPointer, _ exchange: HTTPExchange, _ headers: UnsafeMutableRawPointer?) -> BackupError? {
        func number(_ option: CURLoption, _ value: Int) { _ = backstop_curl_set_number(easy, Int32(option.rawValue), value) }
        func text(_ option: CURLoption, _ value: String) { _ = backstop_curl_set_text(easy, Int32(option.rawValue), value) }
        func pointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
            _ = backstop_curl_set_pointer(easy, Int32(option.rawValue), value)
        }
        let request = exchange.request
        let context = Unmanaged.passUnretained(exchange).toOpaque()

        text(CURLOPT_URL, request.url)
        text(CURLOPT_PROTOCOLS_STR, "http,https")
        // The signature is of the path as it is written.
        number(CURLOPT_PATH_AS_IS, 1)
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_FOLLOWLOCATION, 0)
        number(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(min(settings.timeout, .seconds(15))))
        number(CURLOPT_LOW_SPEED_LIMIT, 1)
        number(CURLOPT_LOW_SPEED_TIME, max(1, Int(settings.timeout.components.seconds)))
        number(CURLOPT_BUFFERSIZE, 256 << 10)
        number(CURLOPT_TCP_KEEPALIVE, settings.keepsAlive ? 1 : 0)
        if let idle = settings.keepAliveIdle { number(CURLOPT_TCP_KEEPIDLE, idle) }
        if let interval = settings.keepAliveInterval { number(CURLOPT_TCP_KEEPINTVL, interval) }
        number(CURLOPT_SSL_VERIFYPEER, settings.verifiesTLS ? 1 : 0)
        number(CURLOPT_SSL_VERIFYHOST, settings.verifiesTLS ? 2 : 0)
        number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = settings.authorityFile { text(CURLOPT_CAINFO, file) }
        if let folder = settings.authorityFolder { text(CURLOPT_CAPATH, folder) }
        for (option, ciphers, name) in [
            (CURLOPT_SSL_CIPHER_LIST, settings.ciphers12, "tls-cipher-12"), (CURLOPT_TLS13_CIPHERS, settings.ciphers13, "tls-cipher-13"),
        ] {
            guard let ciphers, backstop_curl_set_text(easy, Int32(option.rawValue), ciphers) != 0 else { continue }
            return BackupError(
                .unsupported, "the TLS library of libcurl cannot be told which ciphers to use (\(name))", hint: "take the option out.")
        }
        // What a proxy answers when it makes a tunnel is no answer of the server.
        number(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)

        if request.isNearby { text(CURLOPT_NOPROXY, "*") }

        number(CURLOPT_HTTP_VERSION, Int(settings.usesHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
        text(CURLOPT_CUSTOMREQUEST, request.method)
        if request.method == "HEAD" { number(CURLOPT_NOBODY, 1) }
        if let body = request.body {
            number(CURLOPT_UPLOAD, 1)
            number(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
            _ = backstop_curl_set_offset(easy, Int32(CURLOPT_INFILESIZE_LARGE.rawValue), Int64(body.reduce(0) { $0 + $1.count }))
            _ = backstop_curl_set_data(easy, Int32(CURLOPT_READFUNCTION.rawValue)) { bytes, size, count, context in
                exchangeOf(context).send(UnsafeMutableRawPointer(bytes), size * count)
            }
            pointer(CURLOPT_READDATA, context)
            _ = backstop_curl_set_seek(easy) { context, offset, _ in
                exchangeOf(context).seek(to: Int(offset))
                return CURL_SEEKFUNC_OK
            }
            pointer(CURLOPT_SEEKDATA, context)
        } else if request.method == "POST" || request.method == "PUT" {
            number(CURLOPT_UPLOAD, 1)
            _ = backstop_curl_set_offset(easy, Int32(CURLOPT_INFILESIZE_LARGE.rawValue), 0)
            _ = backstop_curl_set_data(easy, Int32(CURLOPT_READFUNCTION.rawValue)) { _, _, _, _ in 0 }
        }
        pointer(CURLOPT_HTTPHEADER, headers)
        _ = backstop_curl_set_data(easy, Int32(CURLOPT_HEADERFUNCTION.rawValue)) { bytes, size, count, context in
            exchangeOf(context).header(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        pointer(CURLOPT_HEADERDATA, context)
        _ = backstop_curl_set_data(easy, Int32(CURLOPT_WRITEFUNCTION.rawValue)) { bytes, size, count, context in
            // Any other number than all of them ends the transfer.
            exchangeOf(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : size * count + 1
        }
        pointer(CURLOPT_WRITEDATA, context)
        return nil
    }

    private func end(_ easy: UnsafeMutableRawPointer, _ failure: HTTPFailure?) {
        _ = backstop_curl_multi_remove(multi, easy)
        let transfer = active.removeValue(forKey: easy)
        backstop_curl_easy_reset(easy)
        if let headers = transfer?.headers { backstop_curl_list_free(headers) }
        transfer?.message.deallocate()
        idle.append(easy)
        transfer?.exchange.end(failure)
    }

    private func failure(_ easy: UnsafeMutableRawPointer, _ result: Int32) -> HTTPFailure? {
        var text = active[easy].map { String(cString: $0.message) } ?? ""
        if text.isEmpty { text = String(cString: backstop_curl_text(result)) }
        switch CURLcode(rawValue: UInt32(result)) {
        case CURLE_OK: return nil
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT: return .unreachable(text)
        case CURLE_SSL_CONNECT_ERROR: return .noTLS(text)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_CERTPROBLEM:
            return .refused(text)
        case CURLE_SSL_CIPHER:
            return .impossible(
                BackupError(
                    .optionInvalidValue, "the ciphers for TLS cannot be used: \(text)",
                    hint: "tls-cipher-12 and tls-cipher-13 are lists as `openssl ciphers -v` shows their names, separated by colons."))
        default: return .broken(text)
        }
    }

    private func milliseconds(_ duration: Duration) -> Int {
        Int(duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)
    }
}

private func exchangeOf(_ context: UnsafeMutableRawPointer?) -> HTTPExchange {
    Unmanaged<HTTPExchange>.fromOpaque(context!).takeUnretainedValue()
}
