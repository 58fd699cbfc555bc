%% Reads and writes messages with OTP's text codec as often as it can.
%%
%% A line on standard input asks for a measurement, `WHAT MILLISECONDS FILE`; the answer is a line with
%% how often it was done in a second of processor time. WHAT: `flex` and `plain` decode, with the
%% scanner in C and the one in Erlang; `encode` writes the compact text.
-module(codec).
-export([main/0]).

main() ->
    {ok, Ports} = megaco_flex_scanner:start(),
    serve([{flex, Ports}]).

serve(Flex) ->
    case io:get_line("") of
        eof ->
            halt();
        Line ->
            [What, Milliseconds, File] = string:lexemes(Line, " \n"),
            {ok, Bytes} = file:read_file(File),
            Once = once(What, Flex, Bytes),
            Most = list_to_integer(Milliseconds),
            io:format("~.3f~n", [per_second(Once, Most)]),
            serve(Flex)
    end.

once("flex", Flex, Bytes) ->
    fun() -> {ok, _} = megaco_compact_text_encoder:decode_message(Flex, Bytes) end;
once("plain", _, Bytes) ->
    fun() -> {ok, _} = megaco_compact_text_encoder:decode_message([], Bytes) end;
once("encode", Flex, Bytes) ->
    {ok, Message} = megaco_compact_text_encoder:decode_message(Flex, Bytes),
    Version = element(2, element(3, Message)),
    fun() -> {ok, _} = megaco_compact_text_encoder:encode_message([], Version, Message) end.

%% Milliseconds of processor time, not of the clock: others may be at work on this machine.
per_second(Once, Most) ->
    Begin = element(1, erlang:statistics(runtime)),
    Times = repeat(Once, Begin, Most, 0),
    Took = element(1, erlang:statistics(runtime)) - Begin,
    Times * 1000 / Took.

repeat(Once, Begin, Most, Times) ->
    lists:foreach(fun(_) -> Once() end, lists:seq(1, 50)),
    case element(1, erlang:statistics(runtime)) - Begin >= Most of
        true -> Times + 50;
        false -> repeat(Once, Begin, Most, Times + 50)
    end.
