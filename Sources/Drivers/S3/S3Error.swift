// What a store's answer means: done, worth another try, or an error in the program's own terms.

internal import BackstopCore

/// How one try of a request ended.
enum S3Outcome {
    case done(HTTPAnswer)
    /// A try later may succeed. `after`: what the server asked for.
    case again(BackupError, after: Duration?, reason: Reason)
    case failed(BackupError)

    enum Reason { case unreachable, trouble, clock(Int64), expiredKeys }

    /// `what`: the request in words, for messages. Codes decide, message texts are for people only.
    init(_ result: Result<HTTPAnswer, HTTPFailure>, _ what: String, answersXML: Bool) {
        switch result {
        case .failure(.unreachable(let text)):
            self = .again(
                BackupError(.unavailable, "unable to \(what): \(text)", hint: "is the endpoint right, and does the store run?"), after: nil,
                reason: .unreachable)
        case .failure(.noTLS(let text)):
            self = .again(
                BackupError(
                    .unavailable, "unable to \(what): \(text)",
                    hint: "does it speak TLS at that port? If not, write repo-s3-endpoint=http://HOST:PORT."), after: nil,
                reason: .unreachable)
        case .failure(.broken(let text)):
            self = .again(BackupError(.unavailable, "unable to \(what): \(text)"), after: nil, reason: .trouble)
        case .failure(.refused(let text)):
            self = .failed(
                BackupError(
                    .unavailable, "unable to \(what): \(text)",
                    hint: "a store with a certificate of its own needs repo-storage-ca-file; its address is scheme, host and port."))
        case .failure(.cancelled(let error)), .failure(.impossible(let error)): self = .failed(error)
        case .success(let answer):
            if answer.status < 300 {
                // Some operations answer 200 before they have begun, and tell of their failure in the body.
                if answersXML, let problem = S3Problem(answer), problem.code != nil {
                    self = Self.judge(answer, problem, what, tells: true)
                } else {
                    self = .done(answer)
                }
            } else {
                self = Self.judge(answer, S3Problem(answer) ?? S3Problem(), what, tells: answersXML)
            }
        }
    }

    /// The same with options as the user writes them: `repo2-s3-bucket`.
    func forRepository(_ index: Int) -> S3Outcome {
        func changed(_ error: BackupError) -> BackupError {
            var error = error
            error.hint = error.hint?.replacing("repo-", with: "repo\(index)-")
            return error
        }
        switch self {
        case .done: return self
        case .again(let error, let after, let reason): return .again(changed(error), after: after, reason: reason)
        case .failed(let error): return .failed(changed(error))
        }
    }

    /// `tells`: a store says in a document what is wrong.
    private static func judge(_ answer: HTTPAnswer, _ problem: S3Problem, _ what: String, tells: Bool) -> S3Outcome {
        let shown = ["HTTP \(answer.status)", problem.code].compactMap { $0 }.joined(separator: " ")
        let message = "unable to \(what): \(shown)" + (problem.message.map { ": \($0)" } ?? "")
        let after = answer.headers["retry-after"].flatMap { Int($0) }.map { Duration.seconds(max(0, $0)) }
        switch (answer.status, problem.code) {
        case (_, "RequestTimeTooSkewed"):
            let skew = answer.headers["date"].flatMap { seconds(httpDate: $0) }.map { $0 - unixNow() }
            return .again(
                BackupError(.unavailable, message, hint: "is the clock of this host right?"), after: .zero, reason: .clock(skew ?? 0))
        case (_, "ExpiredToken"), (_, "TokenRefreshRequired"):
            return .again(BackupError(.denied, message), after: .zero, reason: .expiredKeys)
        case (408, _), (429, _), (500, _), (502, _), (503, _), (504, _), (_, "SlowDown"), (_, "InternalError"), (_, "RequestTimeout"),
            (_, "ServiceUnavailable"), (_, "Throttling"), (_, "ThrottlingException"), (_, "OperationAborted"):
            return .again(BackupError(.unavailable, message), after: after, reason: .trouble)
        case (_, "NoSuchBucket"):
            return .failed(BackupError(.unavailable, message, hint: "create the bucket, or correct repo-s3-bucket."))
        case (404, "NoSuchUpload"): return .failed(BackupError(.io, message))
        case (404, nil) where tells || !answer.body.isEmpty:
            return .failed(
                BackupError(
                    .unavailable, message,
                    hint:
                        "that is no answer of an object store: do host and port lead to one? Is repo-s3-endpoint right, and repo-storage-host?"
                ))
        case (404, _): return .failed(BackupError(.notFound, message))
        case (412, _), (409, "ConditionalRequestConflict"): return .failed(BackupError(.alreadyExists, message))
        case (301, _), (307, _), (_, "AuthorizationHeaderMalformed"):
            return .failed(
                BackupError(.denied, message, hint: "does the bucket belong to repo-s3-region, and is repo-s3-endpoint that region's?"))
        case (_, "InvalidAccessKeyId"), (_, "InvalidToken"):
            return .failed(
                BackupError(
                    .denied, message, hint: "does the store know the key (repo-s3-key, repo-s3-token, or what repo-s3-key-type leads to)?"))
        case (_, "SignatureDoesNotMatch"):
            return .failed(
                BackupError(
                    .denied, message, hint: "is repo-s3-key-secret that of the key, and are repo-s3-region and repo-s3-service the store's?"
                ))
        case (401, _), (403, _):
            return .failed(BackupError(.denied, message, hint: "are the keys right, and may they do this in the bucket?"))
        case (507, _), (_, "QuotaExceeded"), (_, "EntityTooLarge"): return .failed(BackupError(.full, message))
        default: return .failed(BackupError(.io, message))
        }
    }
}

/// The error document of a store.
struct S3Problem {
    var code: String?
    var message: String?

    init() {}

    /// nil when the body is no XML; without a code when it is XML that tells of no error.
    init?(_ answer: HTTPAnswer) {
        guard !answer.body.isEmpty, let root = try? XMLElement(parsing: answer.body) else { return nil }
        // Token services put it one level deeper.
        let error = root.name == "Error" ? root : root["Error"]
        guard root.name == "Error" || root.name == "ErrorResponse", let error else { return }
        code = error.text("Code") ?? "Error"
        message = error.text("Message")
    }
}
