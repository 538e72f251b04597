// The keys that requests are signed with, kept until shortly before they expire.

internal import BackstopCore
internal import Synchronization

/// Where keys come from.
protocol S3KeySource: Sendable {
    /// In words, for messages.
    var name: String { get }
    func fetch(_ http: HTTPClient) async throws(BackupError) -> S3Keys
}

final class S3Credentials: Sendable {
    private let source: any S3KeySource
    private let http: HTTPClient
    private let log: Log

    private struct State {
        var keys: S3Keys?
        /// Unix seconds: when they are no good any more, and when it is time to ask for others.
        var end = Int64.max
        var renewal = Int64.max
        /// One request asks; those that have no keys at all wait for what it gets.
        var isAsking = false
        /// What the store took for expired.
        var refused: S3Keys?
        var waiting: [UnsafeContinuation<Result<S3Keys, BackupError>?, Never>] = []
    }
    private let state = Mutex(State())

    /// Keys are renewed so many seconds before they expire, or in the middle of a shorter life: services give out keys in their last
    /// minutes too, and asking for each request would bring the same ones.
    private static let margin: Int64 = 300

    init(_ source: any S3KeySource, _ http: HTTPClient, _ log: Log) {
        self.source = source
        self.http = http
        self.log = log
    }

    func keys() async throws(BackupError) -> S3Keys {
        let (known, asks) = state.withLock { state -> (S3Keys?, Bool) in
            let now = unixNow()
            let known = now < state.end ? state.keys : nil
            if known != nil && now < state.renewal || state.isAsking { return (known, false) }
            state.isAsking = true
            return (known, true)
        }
        if asks { return try await ask(known) }
        if let known { return known }
        let answer = await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<S3Keys, BackupError>?, Never>) in
            let waits = state.withLock { state in
                if state.isAsking { state.waiting.append(continuation) }
                return state.isAsking
            }
            if !waits { continuation.resume(returning: nil) }
        }
        // Whoever asked was done before this could wait.
        guard let answer else { return try await keys() }
        return try answer.get()
    }

    private func ask(_ known: S3Keys?) async throws(BackupError) -> S3Keys {
        let result: Result<S3Keys, BackupError>
        do throws(BackupError) {
            let keys = try await source.fetch(http)
            guard keys != state.withLock({ $0.refused }) else {
                throw BackupError(
                    .denied, "there are no others, and the store says that these have expired",
                    hint: "keys that are valid for a while have to be replaced in time, with repo-s3-token, or to come from a service.")
            }
            result = .success(keys)
        } catch {
            var error = error.during("unable to get the keys of the store from \(source.name)")
            // Whatever a service does not find, it is no object of the store that is missing.
            if error.code == .notFound || error.code == .alreadyExists { error.code = .denied }
            result = .failure(error)
        }
        let waiting = state.withLock { state in
            let now = unixNow()
            if case .success(let keys) = result {
                // What has expired on its arrival says that a clock is wrong, and the store is the judge of that.
                let expires = keys.expires ?? .max
                state.keys = keys
                state.end = expires > now ? expires : now + 60
                state.renewal = state.end - min(Self.margin, (state.end - now) / 2)
            } else {
                state.renewal = now + max(1, (state.end - now) / 10)
            }
            state.isAsking = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: result) }
        // A service that is away for a moment is no reason to stop while the old keys are good.
        if case .failure(let error) = result, let known {
            if error.code != .cancelled { log.warn("\(error.message); the keys at hand are used until they expire") }
            return known
        }
        return try result.get()
    }

    /// The store says that they are no longer valid. Others may have been fetched since.
    func forget(_ refused: S3Keys) {
        state.withLock { state in
            state.refused = refused
            if state.keys == refused { state.keys = nil }
        }
    }
}

/// The source that the options of a repository name.
func s3KeySource(_ options: Options, _ index: Int) throws(BackupError) -> any S3KeySource {
    switch options[S3Options.keyType, index] {
    case "auto": return S3InstanceKeys(role: options[S3Options.role, index])
    case "web-id": return try S3WebIdentityKeys(host: options[S3Options.stsHost, index])
    case "pod-id": return try S3PodKeys()
    case "process":
        return S3ProcessKeys(
            command: options[S3Options.processCmd, index], timeout: options[NetworkOptions.ioTimeout])
    default:
        return S3SharedKeys(
            keys: S3Keys(
                key: try options.required(S3Options.key, index), secret: try options.required(S3Options.keySecret, index),
                token: options[S3Options.token, index]))
    }
}

/// Keys of the configuration.
struct S3SharedKeys: S3KeySource {
    let keys: S3Keys
    var name: String { "the configuration" }
    func fetch(_ http: HTTPClient) async throws(BackupError) -> S3Keys { keys }
}
