// Keys from the surroundings: the instance's metadata, a token that is changed for keys, the pod's agent, a program.

internal import BackstopCore
internal import Glibc

/// The role of an EC2 instance, from its metadata service, version 2.
struct S3InstanceKeys: S3KeySource {
    /// nil: the instance's first role.
    let role: String?
    var name: String { "the instance metadata service" }

    func fetch(_ http: HTTPClient) async throws(BackupError) -> S3Keys {
        let base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
        let token = try await text(http, "PUT", "\(base)/latest/api/token", [("X-aws-ec2-metadata-token-ttl-seconds", "21600")])
        let headers = [("X-aws-ec2-metadata-token", token)]
        let folder = "\(base)/latest/meta-data/iam/security-credentials/"
        let found = if let role { role } else { try await firstRole(http, folder, headers) }
        do throws(BackupError) {
            return try S3Keys(json: try await text(http, "GET", folder + SignatureV4.encoded(found), headers), token: "Token")
        } catch {
            throw error.during("role '\(found)'")
        }
    }

    private func firstRole(_ http: HTTPClient, _ folder: String, _ headers: [(String, String)]) async throws(BackupError) -> String {
        let none = BackupError(.denied, "the instance has no role", hint: "give it one that may use the bucket, or set repo-s3-key-type.")
        do throws(BackupError) {
            guard let role = try await text(http, "GET", folder, headers).split(whereSeparator: \.isNewline).first else { throw none }
            return String(role)
        } catch {
            throw error.code == .notFound ? none : error
        }
    }

    private func text(_ http: HTTPClient, _ method: String, _ url: String, _ headers: [(String, String)]) async throws(BackupError)
        -> String
    {
        String(
            decoding: try await answer(
                http, HTTPRequest(method: method, url: url, headers: headers.map { (name: $0.0, value: $0.1) }, isNearby: true),
                secret: headers[0].1
            ).body, as: UTF8.self)
    }
}

/// A web identity token (of a Kubernetes service account, say), which the token service changes for keys.
struct S3WebIdentityKeys: S3KeySource {
    let url: String
    let role: String
    let tokenFile: String
    var name: String { "the security token service" }

    /// `host`: with a scheme or a port where they are not the usual ones.
    init(host: String) throws(BackupError) {
        let endpoint = try S3Settings.Endpoint(host, option: "repo-s3-sts-host")
        url = "\(endpoint.scheme)://\(endpoint.authority(endpoint.host))/"
        role = try needed("AWS_ROLE_ARN", "web-id")
        tokenFile = try needed("AWS_WEB_IDENTITY_TOKEN_FILE", "web-id")
    }

    func fetch(_ http: HTTPClient) async throws(BackupError) -> S3Keys {
        let token = try fileText(tokenFile)
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", "pgbackstop"),
            ("WebIdentityToken", token),
        ].map { "\($0.0)=\(SignatureV4.encoded($0.1))" }.joined(separator: "&")
        let body = PartBuffer(form)
        let answer = try await answer(
            http,
            HTTPRequest(
                method: "POST", url: url, headers: [(name: "Content-Type", value: "application/x-www-form-urlencoded")], body: [body]),
            secret: token)
        let keys = try XMLElement(parsing: answer.body)["AssumeRoleWithWebIdentityResult"]?["Credentials"]
        guard let key = keys?.text("AccessKeyId"), let secret = keys?.text("SecretAccessKey"), !key.isEmpty, key.isHeaderValue,
            !secret.isEmpty, keys?.text("SessionToken")?.isHeaderValue ?? true
        else { throw S3Keys.none() }
        return S3Keys(
            key: key, secret: secret, token: keys?.text("SessionToken"), expires: keys?.text("Expiration").flatMap { seconds(iso8601: $0) })
    }
}

/// The agent of an EKS pod.
struct S3PodKeys: S3KeySource {
    let url: String
    let tokenFile: String
    var name: String { "the pod identity agent" }

    init() throws(BackupError) {
        url = try needed("AWS_CONTAINER_CREDENTIALS_FULL_URI", "pod-id")
        tokenFile = try needed("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "pod-id")
    }

    func fetch(_ http: HTTPClient) async throws(BackupError) -> S3Keys {
        let token = try fileText(tokenFile)
        let request = HTTPRequest(method: "GET", url: url, headers: [(name: "Authorization", value: token)], isNearby: true)
        return try S3Keys(json: String(decoding: try await answer(http, request, secret: token).body, as: UTF8.self), token: "Token")
    }
}

/// A program that prints keys as JSON, as AWS tools call it in `credential_process`.
struct S3ProcessKeys: S3KeySource {
    let command: [String]
    let timeout: Duration
    var name: String { "the program '\(command.first ?? "")'" }

    func fetch(_ http: HTTPClient) async throws(BackupError) -> S3Keys {
        try S3Keys(json: try await ProgramOutput.read(command, timeout: timeout), token: "SessionToken")
    }
}

extension S3Keys {
    static func none(_ told: String = "") -> BackupError {
        BackupError(
            .corrupt, "the answer holds no keys\(told)",
            hint: "keys are AccessKeyId and SecretAccessKey, in the form that AWS services and programs for them use.")
    }

    /// The document of a key service. It is never shown: it holds secrets.
    init(json text: String, token tokenName: String) throws(BackupError) {
        guard let json = JSON(parsing: Array(text.utf8)), let key = json["AccessKeyId"]?.string,
            let secret = json["SecretAccessKey"]?.string
        else {
            // A service may answer with success and a document that tells of its failure.
            let told = JSON(parsing: Array(text.utf8)).map { [$0["Code"]?.string, $0["Message"]?.string].compactMap { $0 } } ?? []
            throw Self.none(told.isEmpty ? "" : " (\(told.joined(separator: ": ")))")
        }
        let token = json[tokenName]?.string
        guard !key.isEmpty, key.isHeaderValue, !secret.isEmpty, token?.isHeaderValue ?? true else { throw Self.none() }
        self.init(
            key: key, secret: secret, token: token, expires: json["Expiration"]?.string.flatMap { seconds(iso8601: $0) })
    }
}

/// An answer with status 200, with retries as for a store. What a service repeats of `secret` is not shown.
private func answer(_ http: HTTPClient, _ request: HTTPRequest, secret: String) async throws(BackupError) -> HTTPAnswer {
    var backoff = Backoff(.seconds(10))
    while true {
        let result = await (try http.start(request)).answer()
        var problem: BackupError
        switch S3Outcome(result, "ask for keys", answersXML: false) {
        case .done(let answer): return answer
        case .failed(let error): problem = error
        case .again(let error, let after, _):
            if let delay = backoff.next(after) {
                try await pause(delay)
                continue
            }
            problem = error
        }
        problem.message = problem.message.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        if [.denied, .notFound, .alreadyExists].contains(problem.code) {
            problem.hint = "is the role of this host, or its token, known to the service?"
        }
        throw problem
    }
}

extension String {
    /// Nothing that would end a header and begin another.
    fileprivate var isHeaderValue: Bool { utf8.allSatisfy { $0 >= 32 && $0 != 127 } }
}

private func variable(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
}

private func needed(_ name: String, _ type: String) throws(BackupError) -> String {
    guard let value = variable(name) else {
        throw BackupError(
            .optionInvalid, "option 'repo-s3-key-type' is '\(type)' but '\(name)' is not set in the environment",
            hint: "the platform sets it where the role is set up for this account.")
    }
    return value
}

private func fileText(_ path: String) throws(BackupError) -> String {
    guard let file = fopen(path, "re") else { throw BackupError(.fileOpen, "unable to open '\(path)': \(systemMessage(errno))") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0 else { throw BackupError(.fileRead, "unable to read '\(path)'") }
    var text = String(decoding: bytes[..<count], as: UTF8.self)
    while text.last?.isWhitespace == true { text.removeLast() }
    guard !text.isEmpty, text.isHeaderValue else {
        throw BackupError(.fileInvalid, "'\(path)' does not hold a token", hint: "it is one line of printable characters.")
    }
    return text
}
