using System.Text.Json.Serialization;

namespace Repmgr.Engine.Failover.Store;

/// <summary>A transaction of etcd's v3 API, as its JSON gateway takes it: keys and values are Base64, 64-bit numbers are text.</summary>
/// <remarks>https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/, https://etcd.io/docs/v3.5/learning/api/#transaction</remarks>
/// <param name="Compare">If all of these hold, <paramref name="Success"/> is done, else <paramref name="Failure"/>, at one revision.</param>
internal sealed record EtcdTxn(IReadOnlyList<EtcdCompare> Compare, IReadOnlyList<EtcdOperation> Success, IReadOnlyList<EtcdOperation> Failure);

/// <summary>A key was last changed at this revision; 0: there is no such key.</summary>
internal sealed record EtcdCompare(byte[] Key, long ModRevision, string Target = "MOD", string Result = "EQUAL");

/// <summary>One of the two is set.</summary>
internal sealed record EtcdOperation(EtcdPut? RequestPut, EtcdRange? RequestRange);

internal sealed record EtcdPut(byte[] Key, byte[] Value);

/// <param name="Revision">As the key was at this revision of the store; null: as it is.</param>
internal sealed record EtcdRange(byte[] Key, long? Revision = null);

/// <summary>The gateway leaves out what is false, zero or empty.</summary>
internal sealed record EtcdTxnReply(EtcdHeader Header, bool Succeeded, IReadOnlyList<EtcdOperationReply>? Responses);

/// <param name="Revision">Of the whole store, after the transaction: what it put has it as its own.</param>
internal sealed record EtcdHeader(long Revision);

internal sealed record EtcdOperationReply(EtcdRangeReply? ResponseRange);

internal sealed record EtcdRangeReply(IReadOnlyList<EtcdKeyValue>? Kvs);

internal sealed record EtcdKeyValue(byte[] Key, byte[] Value, long ModRevision);

internal sealed record EtcdError(string? Error, string? Message);

internal sealed record EtcdLogin(string Name, string Password);

internal sealed record EtcdToken(string? Token);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(EtcdTxn))]
[JsonSerializable(typeof(EtcdTxnReply))]
[JsonSerializable(typeof(EtcdError))]
[JsonSerializable(typeof(EtcdLogin))]
[JsonSerializable(typeof(EtcdToken))]
internal sealed partial class EtcdJson : JsonSerializerContext;
