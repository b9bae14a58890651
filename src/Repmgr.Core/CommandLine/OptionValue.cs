using System.Globalization;
using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>What an option takes, and how a value is judged.</summary>
/// <param name="Placeholder">Its name in the usage: <c>HOST</c>.</param>
public abstract record OptionValue(string Placeholder)
{
    /// <summary>What is wrong with the value, as whole sentences; null when it is right.</summary>
    public abstract string? Fault(string value);

    /// <summary>Takes no value.</summary>
    public sealed record Nothing() : OptionValue("")
    {
        public override string? Fault(string value) => null;
    }

    /// <summary>Any text that is not empty.</summary>
    public sealed record Text(string Placeholder, Completion Completion = Completion.None) : OptionValue(Placeholder)
    {
        public override string? Fault(string value) => value.Trim().Length == 0 ? "It must not be empty." : null;
    }

    /// <summary>A whole number.</summary>
    public sealed record Integer(string Placeholder, int Least, int Most = int.MaxValue) : OptionValue(Placeholder)
    {
        public override string? Fault(string value)
        {
            if (int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
                && number >= Least && number <= Most)
                return null;

            return Most == int.MaxValue
                ? string.Create(CultureInfo.InvariantCulture, $"It takes a whole number, {Least} or more.")
                : string.Create(CultureInfo.InvariantCulture, $"It takes a whole number from {Least} to {Most}.");
        }
    }

    /// <summary>One of a few words, in any case.</summary>
    public sealed record Choice(string Placeholder, params string[] Words) : OptionValue(Placeholder)
    {
        public override string? Fault(string value)
        {
            if (Words.Contains(value, StringComparer.OrdinalIgnoreCase))
                return null;

            string known = $"It takes one of: {string.Join(", ", Words)}.";
            string? begun = value.Length == 0 ? null : Words.FirstOrDefault(word => word.StartsWith(value, StringComparison.OrdinalIgnoreCase));
            return (begun ?? Nearest.To(value, Words)) is { } meant ? $"{known} Perhaps you meant \"{meant}\"." : known;
        }
    }

    /// <summary>A transfer rate as pg_basebackup takes it: kilobytes per second, or with the suffix k or M.</summary>
    /// <remarks>https://www.postgresql.org/docs/current/app-pgbasebackup.html</remarks>
    public sealed record Rate(string Placeholder) : OptionValue(Placeholder)
    {
        private const long Least = 32L << 10;
        private const long Most = 1L << 30;

        public override string? Fault(string value) =>
            BytesPerSecond(value) is >= Least and <= Most
                ? null
                : "It takes kilobytes per second, or a number with the suffix k or M; from 32k to 1024M.";

        /// <summary>Null when the text is no rate.</summary>
        public static long? BytesPerSecond(string value)
        {
            string text = value.Trim();
            (int shift, int suffix) = text switch
            {
                [.., 'M'] => (20, 1),
                [.., 'k'] => (10, 1),
                [.., 'M', 'B'] => (20, 2),
                [.., 'k', 'B'] => (10, 2),
                _ => (10, 0),
            };
            return long.TryParse(text.AsSpan(0, text.Length - suffix), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                && number <= long.MaxValue >> shift
                ? number << shift
                : null;
        }
    }

    /// <summary>A length of time as PostgreSQL writes it: a whole number and ms, s, min, h or d; milliseconds without a unit.</summary>
    public sealed record Duration(string Placeholder) : OptionValue(Placeholder)
    {
        public override string? Fault(string value) =>
            ToTimeSpan(value) is null ? "It takes a whole number with one of the units ms, s, min, h, d; milliseconds without a unit." : null;

        /// <summary>Null when the text is no length of time.</summary>
        public static TimeSpan? ToTimeSpan(string value)
        {
            string text = value.Trim();
            int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : text.Length;
            long milliseconds = text[digits..].Trim() switch
            {
                "" or "ms" => 1,
                "s" => 1_000,
                "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => 0,
            };
            return milliseconds != 0 && int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number * milliseconds <= int.MaxValue
                ? TimeSpan.FromMilliseconds(number * milliseconds)
                : null;
        }
    }

    /// <summary>A moment: a time of day, which is the next one, or a date and a time; local time unless it says another zone.</summary>
    public sealed record Moment(string Placeholder) : OptionValue(Placeholder)
    {
        private static readonly string[] OfDay = ["HH':'mm", "HH':'mm':'ss"];

        private static readonly string[] Dated =
        [
            .. from date in (string[])["yyyy'-'MM'-'dd"]
               from between in (string[])["' '", "'T'"]
               from time in OfDay
               from zone in (string[])["", "zzz", "'Z'"]
               select date + between + time + zone,
        ];

        public override string? Fault(string value) =>
            ToInstant(value, DateTimeOffset.UnixEpoch, TimeZoneInfo.Utc) is null
                ? "It takes a time of day such as 03:30, which is the next one, or a date and a time such as \"2026-12-24 03:30\"; a zone may follow the latter: Z or +01:00."
                : null;

        /// <summary>Null when the text is no moment.</summary>
        /// <param name="value">What the user wrote.</param>
        /// <param name="now">A time of day is the next one after this.</param>
        /// <param name="local">The zone of what names none.</param>
        public static DateTimeOffset? ToInstant(string value, DateTimeOffset now, TimeZoneInfo local)
        {
            ArgumentNullException.ThrowIfNull(value);
            ArgumentNullException.ThrowIfNull(local);
            string text = value.Trim();
            if (DateTime.TryParseExact(text, OfDay, CultureInfo.InvariantCulture, DateTimeStyles.NoCurrentDateDefault, out DateTime time))
            {
                DateTime today = TimeZoneInfo.ConvertTime(now, local).Date;
                DateTimeOffset first = In(local, today + time.TimeOfDay);
                return first > now ? first : In(local, today.AddDays(1) + time.TimeOfDay);
            }

            if (!DateTimeOffset.TryParseExact(text, Dated, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment))
                return null;
            bool isZoned = text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > "yyyy-MM-dd".Length - 1;
            return isZoned ? moment : In(local, moment.DateTime);
        }

        // An hour that the clocks leave out is taken as one after it.
        private static DateTimeOffset In(TimeZoneInfo zone, DateTime time)
        {
            DateTime there = DateTime.SpecifyKind(time, DateTimeKind.Unspecified);
            there = zone.IsInvalidTime(there) ? there.AddHours(1) : there;
            return new DateTimeOffset(there, zone.GetUtcOffset(there));
        }
    }
}

/// <summary>What a shell may offer for a value.</summary>
public enum Completion
{
    None,
    File,
    Directory,
    Host,
    User,
}
