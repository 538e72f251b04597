// The digests that S3 asks for, by libcrypto.

internal import BackstopCore
internal import CCrypto

enum Hash {
    static func sha256(_ buffers: [PartBuffer]) throws(BackupError) -> [UInt8] { try digest("SHA2-256", buffers.map(\.bytes)) }
    static func sha256(_ text: String) throws(BackupError) -> [UInt8] { try digest("SHA2-256", Array(text.utf8)) }
    static func md5(_ buffers: [PartBuffer]) throws(BackupError) -> [UInt8] { try digest("MD5", buffers.map(\.bytes)) }
    static func md5(_ bytes: [UInt8]) throws(BackupError) -> [UInt8] { try digest("MD5", bytes) }

    static func hmac(_ key: [UInt8], _ text: String) throws(BackupError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        let message = Array(text.utf8)
        var length: UInt32 = 32
        guard HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &result, &length) != nil else {
            throw unable("HMAC-SHA256")
        }
        return result
    }

    private static func digest(_ name: String, _ bytes: [UInt8]) throws(BackupError) -> [UInt8] {
        let result = bytes.withUnsafeBytes { buffer in Result { () throws(BackupError) in try digest(name, [buffer]) } }
        return try result.get()
    }

    private static func digest(_ name: String, _ buffers: [UnsafeRawBufferPointer]) throws(BackupError) -> [UInt8] {
        guard let function = EVP_MD_fetch(nil, name, nil), let context = EVP_MD_CTX_new() else { throw unable(name) }
        defer {
            EVP_MD_CTX_free(context)
            EVP_MD_free(function)
        }
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        var done = EVP_DigestInit_ex2(context, function, nil) == 1
        for buffer in buffers { done = done && EVP_DigestUpdate(context, buffer.baseAddress, buffer.count) == 1 }
        guard done, EVP_DigestFinal_ex(context, &result, &length) == 1 else { throw unable(name) }
        return Array(result[..<Int(length)])
    }

    private static func unable(_ name: String) -> BackupError {
        BackupError(
            .unsupported, "libcrypto of this host cannot compute \(name)", hint: "does its configuration (openssl.cnf) switch it off?")
    }
}

/// nil when the text is no base64.
func bytes(base64 text: String) -> [UInt8]? {
    let source = Array(text.utf8)
    guard source.count % 4 == 0 else { return nil }
    var result = [UInt8](repeating: 0, count: source.count / 4 * 3)
    guard EVP_DecodeBlock(&result, source, Int32(source.count)) >= 0 else { return nil }
    return result.dropLast(source.reversed().prefix { $0 == UInt8(ascii: "=") }.count)
}
