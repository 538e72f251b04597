// The codecs, ciphers and checksums of this build, one line each.

public import BackstopCore

public func registerBuiltinCodecs(in registry: inout Registry) {
}
